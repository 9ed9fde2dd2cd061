package daymark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The outlet and the router")
class OutletTest {
    private static List<String> through(int largest, Object... inputs) throws Exception {
        try (var harness = new OneInputStreamOperatorTestHarness<byte[], byte[]>(new Outlet("main", largest))) {
            harness.open();
            for (Object input : inputs) {
                if (input instanceof byte[] element) {
                    harness.processElement(new StreamRecord<>(element));
                } else {
                    harness.processWatermark((Watermark) input);
                }
            }
            List<String> seen = new ArrayList<>();
            for (Object output : harness.getOutput()) {
                seen.add(output instanceof Watermark mark ? "watermark " + mark.getTimestamp() : text(output));
            }
            return seen;
        }
    }

    private static String text(Object output) {
        byte[] element = (byte[]) ((StreamRecord<?>) output).getValue();
        return Element.tag(element) + " " + string(Element.key(element)) + " " + string(Element.value(element));
    }

    private static String string(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Test
    void cutAnOutputThatIsTooBigAtTheEndsOfLines() throws Exception {
        List<String> seen = through(20, Element.of('T', "k", "aaaaaaaa\nbbbbbbbb\ncccccccc\nd"));
        assertEquals(List.of("T k aaaaaaaa\nbbbbbbbb", "T k cccccccc\nd"), seen);
    }

    @Test
    void leaveALineWholeEvenIfItAloneIsTooBig() throws Exception {
        String big = "x".repeat(50);
        assertEquals(List.of("D k " + big), through(20, Element.of('D', "k", big)));
        assertEquals(List.of("E k " + big, "E k a\nb"), through(20, Element.of('E', "k", big + "\na\nb")));
    }

    @Test
    void tellTheProgressBeforeTheWatermarkPasses() throws Exception {
        List<String> seen = through(100, Element.of('F', "k", "v"), new Watermark(1234));
        assertEquals(3, seen.size(), seen.toString());
        assertEquals("F k v", seen.get(0));
        assertTrue(seen.get(1).startsWith(
                "P main-0 {\"lane\":\"main\",\"subtask\":0,\"parallelism\":1,\"watermark_ms\":1234,\"at_ms\":"), seen.get(1));
        assertEquals("watermark 1234", seen.get(2));
    }

    @Test
    void tellTheEndOfTimeOnceWhetherALogOrFlinkBringsIt() throws Exception {
        String end = "\"watermark_ms\":" + Ticks.END_OF_TIME + ",";
        for (Watermark[] marks : new Watermark[][] {
            {Watermark.MAX_WATERMARK}, {new Watermark(Ticks.END_OF_TIME), Watermark.MAX_WATERMARK}
        }) {
            List<String> told = through(100, (Object[]) marks).stream().filter(line -> line.startsWith("P ")).toList();
            assertEquals(1, told.size(), told.toString());
            assertTrue(told.get(0).contains(end), told.get(0));
        }
    }

    @Test
    void sendEachTagToItsTopic() {
        Router router = new Router("daymark.");
        ProducerRecord<byte[], byte[]> finding = router.serialize(Element.of('F', "clé", "{}"), null, null);
        assertEquals("daymark.findings", finding.topic());
        assertEquals("clé", string(finding.key()));
        assertEquals("{}", string(finding.value()));
        assertNull(router.serialize(Element.of('D', "", "{}"), null, null).key());
        List<String> topics = "FTIEDP".chars().mapToObj(tag -> Router.name((char) tag)).toList();
        assertEquals(List.of("findings", "transitions", "items", "eventlog", "deadletters", "progress"), topics);
        assertThrows(IllegalArgumentException.class, () -> Router.name('?'));
    }

    @Test
    void takeKeysOfAnyLengthThatFitsSixteenBits() {
        String key = "k".repeat(65_535);
        byte[] element = Element.of('I', key, "v");
        assertEquals(key, string(Element.key(element)));
        assertEquals("v", string(Element.value(element)));
    }
}
