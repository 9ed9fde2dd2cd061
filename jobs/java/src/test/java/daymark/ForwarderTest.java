package daymark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The forwarder")
class ForwarderTest {
    private static final String SETTINGS =
            "{\"buckets\":16,\"records\":9,\"bytes\":1000,\"delay\":50,\"largest\":1000,\"topics\":{\"t\":[{\"mapping\":0,\"keys\":[[\"trade\"]]}]}}";

    private OneInputStreamOperatorTestHarness<byte[], Row> harness;

    @BeforeEach
    void open() throws Exception {
        harness = new OneInputStreamOperatorTestHarness<>(new Forwarder(BatcherSettings.parse(SETTINGS), 3));
        harness.setProcessingTime(0);
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    /** A frame on its way to a key of a workflow's list, as udfs/operators/routed.py packs it. */
    private static byte[] routed(int key, String text, String record) {
        byte[] name = text.getBytes(StandardCharsets.UTF_8);
        byte[] value = record.getBytes(StandardCharsets.UTF_8);
        int length = 8 + 1 + 1 + 8 + 2 + name.length + value.length;
        return ByteBuffer.allocate(Frames.HEADER + length)
                .put((byte) 0).put((byte) Forwarder.ROUTED).putInt(0).putLong(0).putLong(0).putInt(length)
                .put("01234567".getBytes(StandardCharsets.US_ASCII)).put((byte) key).put((byte) 1).putLong(0)
                .putShort((short) name.length).put(name).put(value).array();
    }

    private void send(byte[]... frames) throws Exception {
        ByteBuffer run = ByteBuffer.allocate(10_000);
        for (byte[] frame : frames) {
            run.put(frame);
        }
        byte[] element = new byte[run.position()];
        run.flip().get(element);
        harness.processElement(new StreamRecord<>(element));
    }

    private List<Row> towards(int key) {
        List<Row> rows = new ArrayList<>();
        if (key == 0) {
            harness.extractOutputValues().forEach(rows::add);
        } else if (harness.getSideOutput(Buckets.stage(key)) != null) {
            harness.getSideOutput(Buckets.stage(key)).forEach(record -> rows.add(record.getValue()));
        }
        return rows;
    }

    @Test
    void sendsEachFrameTowardsItsKeyByteForByte() throws Exception {
        byte[] home = routed(0, "O\u00e91", "{}");
        byte[] further = routed(2, "E1", "{\"a\":1}");
        send(home, further);
        assertEquals(0, towards(0).size());
        harness.processWatermark(5);
        assertEquals(2, harness.getOutput().size());
        assertEquals(List.of(), towards(1));
        assertEquals(ByteBuffer.wrap(further), ByteBuffer.wrap((byte[]) towards(2).get(0).getField(1)));
    }

    @Test
    void putsAKeyIntoTheBucketIntoWhichTheBatcherPutsIt() throws Exception {
        int[] numbers = Batcher.numbers(16, 1);
        KeyScan scan = new KeyScan(new String[][] {{"trade"}});
        for (String text : List.of("T1", "\u00e9", "\ud83d\ude00 \u4e2d", "4711", "")) {
            scan.scan(("{\"trade\":\"" + text + "\"}").getBytes(StandardCharsets.UTF_8));
            send(routed(0, text, "{}"));
            harness.prepareSnapshotPreBarrier(1);
            List<Row> rows = harness.extractOutputValues();
            assertEquals(numbers[Batcher.bucketOf(scan.hash(0), 16)], rows.get(rows.size() - 1).getField(0));
        }
    }

    @Test
    void letsNothingWaitAcrossACheckpointNorForLongNorWithoutBound() throws Exception {
        send(routed(0, "T", "{}"));
        harness.prepareSnapshotPreBarrier(1);
        assertEquals(1, towards(0).size());
        send(routed(0, "T", "{}"));
        harness.setProcessingTime(50);
        assertEquals(2, towards(0).size());
        send(routed(0, "T", "x".repeat(1000)));
        assertEquals(3, towards(0).size());
        send(routed(0, "T", "{}"));
        harness.getOneInputOperator().finish();
        assertEquals(4, towards(0).size());
    }
}
