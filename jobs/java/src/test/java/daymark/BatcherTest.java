package daymark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("The batcher")
class BatcherTest {
    private static final String TWO_KEYS =
            "[{\"mapping\":0,\"keys\":[[\"trade\"],[\"order\"]]},{\"mapping\":1,\"keys\":[[\"file\"]]}]";

    private OneInputStreamOperatorTestHarness<Record, Row> harness;
    private long offset;

    record Frame(int bucket, int mapping, int key, int partition, long offset, long timestamp, String payload) {}

    private void open(int buckets, int records, int bytes, long delay, int largest) throws Exception {
        open(buckets, records, bytes, delay, largest, 0);
    }

    private void open(int buckets, int records, int bytes, long delay, int largest, long pulse) throws Exception {
        String settings = ("{\"buckets\":%d,\"records\":%d,\"bytes\":%d,\"delay\":%d,\"largest\":%d,\"pulse\":%d,\"topics\":{\"t\":%s}}")
                .formatted(buckets, records, bytes, delay, largest, pulse, TWO_KEYS);
        harness = new OneInputStreamOperatorTestHarness<>(new Batcher(BatcherSettings.parse(settings)));
        harness.setProcessingTime(0);
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        if (harness != null) {
            harness.close();
        }
    }

    private void send(String json) throws Exception {
        byte[] value = json.getBytes(StandardCharsets.UTF_8);
        harness.processElement(new StreamRecord<>(new Record("t", 3, offset++, 77, value, Record.NOT_A_TICK)));
    }

    /** What has come out so far: frames as they are, watermarks as their number. */
    private List<Object> out() {
        List<Object> seen = new ArrayList<>();
        for (Object element : harness.getOutput()) {
            if (element instanceof Watermark watermark) {
                seen.add(watermark.getTimestamp());
            } else {
                Row row = (Row) ((StreamRecord<?>) element).getValue();
                seen.addAll(decode((int) row.getField(0), (byte[]) row.getField(1)));
            }
        }
        harness.getOutput().clear();
        return seen;
    }

    static List<Frame> decode(int bucket, byte[] batch) {
        List<Frame> frames = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(batch);
        while (in.hasRemaining()) {
            int mapping = in.get() & 0xff;
            int key = in.get() & 0xff;
            int partition = in.getInt();
            long offset = in.getLong();
            long timestamp = in.getLong();
            byte[] payload = new byte[in.getInt()];
            in.get(payload);
            frames.add(new Frame(bucket, mapping, key, partition, offset, timestamp, new String(payload, StandardCharsets.UTF_8)));
        }
        return frames;
    }

    private List<Frame> frames() {
        return out().stream().map(Frame.class::cast).toList();
    }

    @Test
    void carriesTheRecordByteForByteWithItsPlace() throws Exception {
        open(1, 1, 1_000_000, 1000, 1000);
        String json = "{\"trade\":\"T\\n1\",\n \"é\":1}";
        send(json);
        assertEquals(List.of(new Frame(0, 0, 0, 3, 0, 77, json)), frames());
    }

    @Test
    void makesOneCopyForEachKeyThatIsThereInWhicheverMapping() throws Exception {
        open(1, 1, 1_000_000, 1000, 1000);
        send("{\"order\":5,\"trade\":\"T1\",\"file\":\"f\"}");
        assertEquals(List.of("0/0", "0/1", "1/0"), frames().stream().map(one -> one.mapping + "/" + one.key).toList());
    }

    @Test
    void givesTheSameKeyTheSameBucketAndSpreadsKeysOverAll() throws Exception {
        open(16, 100_000, 10_000_000, 1000, 1000);
        for (int i = 0; i < 4000; i++) {
            send("{\"trade\":\"T" + i % 1000 + "\"}");
            send("{\"order\":\"T" + i % 1000 + "\",\"at\":" + i + "}");
        }
        harness.processWatermark(1);
        List<Frame> frames = out().stream().filter(Frame.class::isInstance).map(Frame.class::cast).toList();
        Map<String, List<Integer>> buckets = frames.stream().collect(Collectors.groupingBy(
                one -> one.payload.replaceAll(".*\"(T\\d+)\".*", "$1"),
                Collectors.mapping(Frame::bucket, Collectors.collectingAndThen(Collectors.toSet(), List::copyOf))));
        assertEquals(1000, buckets.size());
        assertTrue(buckets.values().stream().allMatch(one -> one.size() == 1));
        Map<Integer, Long> sizes = frames.stream().collect(Collectors.groupingBy(Frame::bucket, Collectors.counting()));
        assertEquals(16, sizes.size());
        assertTrue(sizes.values().stream().allMatch(size -> size > 250 && size < 750), sizes.toString());
    }

    @ParameterizedTest
    @CsvSource({"32,1", "32,2", "32,4", "64,8", "32,32", "1000,2", "1,1"})
    void numbersTheBucketsSoThatEachTaskGetsAsMany(int buckets, int tasks) {
        int[] numbers = Batcher.numbers(buckets, 128);
        assertEquals(buckets, IntStream.of(numbers).distinct().count());
        Map<Integer, Long> shares = IntStream.of(numbers).boxed().collect(Collectors.groupingBy(
                number -> KeyGroupRangeAssignment.assignKeyToParallelOperator(Row.of(number), 128, tasks), Collectors.counting()));
        assertEquals(tasks, shares.size());
        assertTrue(shares.values().stream().allMatch(share -> share == buckets / tasks), shares.toString());
    }

    @Test
    void saysWhichTopicOfTheSavepointNoMappingReadsAnyMore() throws Exception {
        open(1, 1, 1_000_000, 1000, 1000);
        Record record = new Record("gone", 0, 0, 77, new byte[0], Record.NOT_A_TICK);
        Exception fault = assertThrows(
                IllegalStateException.class, () -> harness.processElement(new StreamRecord<>(record)));
        assertTrue(fault.getMessage().matches(".*topic gone,.*map the topic again, or start without.*"), fault.getMessage());
    }

    @Test
    void keepsTheOrderOfOneKey() throws Exception {
        open(4, 1000, 1_000_000, 1000, 1000);
        for (int i = 0; i < 10; i++) {
            send("{\"trade\":\"A\"}");
        }
        harness.processWatermark(1);
        List<Long> offsets = out().stream().filter(Frame.class::isInstance).map(one -> ((Frame) one).offset).toList();
        assertEquals(IntStream.range(0, 10).mapToObj(i -> (long) i).toList(), offsets);
    }

    @Test
    void passesOnWhatItCannotReadWithoutAKey() throws Exception {
        open(8, 1, 1_000_000, 1000, 40);
        send("garbage");
        send("{\"trade\":null}");
        send("{\"trade\":\"" + "x".repeat(40) + "\"}");
        send("");
        assertEquals(List.of(255, 255, 255, 255), frames().stream().map(Frame::key).toList());
    }

    @Test
    void flushesWhenEnoughRecordsOrBytesWait() throws Exception {
        open(1, 3, 1_000_000, 1000, 1000);
        send("{\"trade\":1}");
        send("{\"trade\":1}");
        assertEquals(0, frames().size());
        send("{\"trade\":1}");
        assertEquals(3, frames().size());
        harness.close();
        open(1, 1000, 90, 1000, 1000);
        send("{\"trade\":1}");
        send("{\"trade\":1}");
        assertEquals(0, frames().size());
        send("{\"trade\":1}");
        assertEquals(3, frames().size());
    }

    @Test
    void flushesBeforeTheWatermarkAndNotAfterIt() throws Exception {
        open(1, 1000, 1_000_000, 1000, 1000);
        send("{\"trade\":1}");
        harness.processWatermark(500);
        send("{\"trade\":2}");
        harness.processWatermark(600);
        assertEquals(List.of(Frame.class, Long.class, Frame.class, Long.class), out().stream().map(Object::getClass).toList());
    }

    @Test
    void flushesBeforeACheckpointSoThatNothingIsOutsideIt() throws Exception {
        open(1, 1000, 1_000_000, 1000, 1000);
        send("{\"trade\":1}");
        harness.prepareSnapshotPreBarrier(1);
        assertEquals(1, frames().size());
        harness.prepareSnapshotPreBarrier(2);
        assertEquals(0, frames().size());
    }

    @Test
    void flushesAtTheEndOfItsInput() throws Exception {
        open(1, 1000, 1_000_000, 1000, 1000);
        send("{\"trade\":1}");
        harness.getOneInputOperator().finish();
        assertEquals(1, frames().size());
    }

    @Test
    void letsNoRecordWaitLongerThanTheDelay() throws Exception {
        open(1, 1000, 1_000_000, 200, 1000);
        harness.setProcessingTime(100);
        send("{\"trade\":1}");
        harness.setProcessingTime(299);
        assertEquals(0, frames().size());
        harness.setProcessingTime(300);
        assertEquals(1, frames().size());
        send("{\"trade\":2}");
        harness.setProcessingTime(500);
        assertEquals(1, frames().size());
    }

    @Test
    void keepsTicksToItself() throws Exception {
        open(1, 1, 1_000_000, 1000, 1000);
        harness.processElement(new StreamRecord<>(new Record("t", 0, 0, 0, new byte[] {'{', '}'}, 1_700_000_000_000L)));
        assertEquals(0, frames().size());
    }

    @Test
    void sendsAFurtherCopyToEachStageThatFollowsLinksFromAKey() throws Exception {
        String settings = """
                {"buckets":4,"records":1,"bytes":1000000,"delay":1000,"largest":1000,"topics":{"t":[
                  {"mapping":3,"keys":[["trade"],["order"],["file"]],"stages":[[],[1],[1,2]]}]}}""";
        harness = new OneInputStreamOperatorTestHarness<>(new Batcher(BatcherSettings.parse(settings)));
        harness.open();
        send("{\"trade\":1}");
        assertEquals(1, frames().size());
        assertEquals(List.of(), stage(1));
        send("{\"order\":2,\"file\":3}");
        assertEquals(2, frames().size());
        assertEquals(List.of("3/1", "3/2"), stage(1).stream().map(one -> one.mapping + "/" + one.key).sorted().toList());
        assertEquals(List.of("3/2"), stage(2).stream().map(one -> one.mapping + "/" + one.key).toList());
    }

    private List<Frame> stage(int number) {
        var rows = harness.getSideOutput(Buckets.stage(number));
        return rows == null ? List.of() : rows.stream().map(StreamRecord::getValue)
                .flatMap(row -> decode((int) row.getField(0), (byte[]) row.getField(1)).stream()).toList();
    }

    @Test
    void tellsEveryBucketAtTheFirstWatermarkAndThenWheneverTimeHasMovedOn() throws Exception {
        open(3, 1000, 1_000_000, 1000, 1000, 60_000);
        List<Integer> told = new ArrayList<>();
        for (long time : new long[] {500, 501, 60_499, 60_500, 60_501, 500_000, Ticks.END_OF_TIME, Long.MAX_VALUE}) {
            harness.processWatermark(time);
            List<Object> out = out();
            assertEquals(time, out.get(out.size() - 1), "before the watermark");
            List<Frame> pulses = out.stream().filter(Frame.class::isInstance).map(Frame.class::cast).toList();
            assertTrue(pulses.stream().allMatch(one -> one.mapping == Frames.PULSE && one.payload.contains("\"watermark\":" + time)));
            told.add((int) pulses.stream().map(Frame::bucket).distinct().count());
        }
        assertEquals(List.of(3, 0, 0, 3, 0, 3, 3, 0), told);
    }

    @Test
    void saysInAPulseWhatTheReaderHasSeenBehindTheRecordsThatItHasSeen() throws Exception {
        open(1, 1000, 1_000_000, 1000, 1000, 60_000);
        harness.processElement(new StreamRecord<>(new Record("t", 0, 0, 900, new byte[] {'{', '}'}, 1_700_000_000_000L)));
        harness.processWatermark(0);
        send("{\"trade\":1}");
        harness.processWatermark(60_000);
        List<Frame> frames = out().stream().filter(Frame.class::isInstance).map(Frame.class::cast).toList();
        String form = "{\"readers\":1,\"bucket\":0,\"buckets\":1,\"watermark\":%d,\"topics\":%s}";
        assertEquals(new Frame(frames.get(0).bucket, 254, 0, 0, 0, 0, form.formatted(0, "{}")), frames.get(0));
        assertEquals("{\"trade\":1}", frames.get(1).payload);
        assertEquals(form.formatted(60_000, "{\"t\":77}"), frames.get(2).payload);
        assertEquals(3, frames.size());
    }

    @Test
    void isSilentWhereNoPulseIsWanted() throws Exception {
        open(2, 1000, 1_000_000, 1000, 1000, 0);
        harness.processWatermark(500);
        harness.processWatermark(Ticks.END_OF_TIME);
        harness.processWatermark(Long.MAX_VALUE);
        assertEquals(List.of(500L, Ticks.END_OF_TIME, Long.MAX_VALUE), out());
    }

    /** The same list is asserted in Python, which must know whose a key is that no record shows. */
    @Test
    void putsKeysIntoTheBucketsThatPythonLooksForThemIn() throws Exception {
        for (String line : Files.readAllLines(Path.of("../../tests/fixtures/buckets.ndjson"))) {
            JsonNode one = new ObjectMapper().readTree(line);
            if (harness != null) {
                harness.close();
            }
            open(one.get("buckets").asInt(), 1000, 1_000_000, 1000, 1000);
            send("{\"trade\":" + one.get("key") + "}");
            harness.processWatermark(1);
            Frame found = (Frame) out().get(0);
            assertEquals(one.get("bucket").asInt(), found.bucket, line);
        }
    }

    @Test
    void refusesSettingsThatMakeNoSense() {
        String settings = "{\"buckets\":0,\"records\":1,\"bytes\":1,\"delay\":1,\"largest\":1,\"topics\":{}}";
        String message = assertThrows(IllegalArgumentException.class, () -> BatcherSettings.parse(settings)).getMessage();
        assertEquals("batcher settings: buckets must be 1 or more", message);
    }

    @Test
    void growsABufferWithoutLosingAByte() {
        Frames frames = new Frames();
        byte[] value = "x".repeat(300_000).getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 3; i++) {
            frames.add(200, 1, new Record("t", i, i, i, value, Record.NOT_A_TICK));
        }
        List<Frame> found = decode(0, frames.take());
        assertEquals(List.of(0, 1, 2), found.stream().map(Frame::partition).toList());
        assertTrue(found.stream().allMatch(one -> one.mapping == 200 && one.payload.length() == 300_000));
        assertArrayEquals(new byte[0], frames.take());
    }
}
