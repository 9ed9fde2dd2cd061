package daymark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("In turn")
class InTurnTest {
    private OneInputStreamOperatorTestHarness<Record, Record> harness;
    private int next = 1;

    @BeforeEach
    void open() throws Exception {
        open(null);
    }

    private void open(OperatorSubtaskState from) throws Exception {
        harness = new OneInputStreamOperatorTestHarness<>(new InTurn(new Ticks(0).live(60_000, Long.MAX_VALUE, 0)));
        if (from != null) {
            harness.initializeState(from);
        }
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    private void tick(int partition, long... ticks) throws Exception {
        for (long tick : ticks) {
            harness.processElement(new StreamRecord<>(new Record("t", partition, 0, tick, new byte[0], tick)));
        }
    }

    /** A record, which is known by its number: 1, 2, 3 and so on. */
    private void record(int partition) throws Exception {
        harness.processElement(new StreamRecord<>(new Record("t", partition, next++, 0, new byte[0], Record.NOT_A_TICK)));
    }

    private void time(long tick) throws Exception {
        harness.processWatermark(new Watermark(tick - 1));
    }

    /** What came out: "#1" is a record, "9" the watermark of tick 9. */
    private String out() {
        List<String> seen = new ArrayList<>();
        for (Object one : harness.getOutput()) {
            seen.add(one instanceof Watermark watermark
                    ? String.valueOf(watermark.getTimestamp() + 1)
                    : "#" + ((Record) ((StreamRecord<?>) one).getValue()).offset);
        }
        harness.getOutput().clear();
        return String.join(" ", seen);
    }

    @Test
    void aLiveRecordWaitsForNothing() throws Exception {
        tick(0, 5);
        tick(1, 5);
        time(5);
        record(0);
        record(1);
        assertEquals("5 #1 #2", out());
    }

    @Test
    void aRecordBeforeAnyTickWaitsForNothing() throws Exception {
        record(0);
        assertEquals("#1", out());
    }

    @Test
    void aRecordWaitsUntilTimeHasComeToItsPartitionsTick() throws Exception {
        tick(0, 5);
        record(0);
        time(4);
        assertEquals("4", out());
        time(5);
        assertEquals("5 #1", out());
    }

    @Test
    void aBacklogOfPartitionsReadOneAfterTheOtherComesAsItStandsInTheLog() throws Exception {
        tick(0, 1);
        record(0);
        tick(0, 5);
        record(0);
        tick(0, 9);
        record(0);
        tick(1, 1, 3);
        record(1);
        tick(1, 5);
        record(1);
        tick(1, 9);
        time(9);
        record(1);
        assertEquals("1 #1 3 #4 5 #2 #5 9 #3 #6", out());
    }

    @Test
    void nothingThatWaitsIsLostOverARestore() throws Exception {
        tick(0, 1, 5);
        record(0);
        tick(1, 1);
        time(1);
        out();
        OperatorSubtaskState state = harness.snapshot(1, 1);
        harness.close();
        open(state);
        record(0); // its partition's tick is from before
        time(4);
        assertEquals("4", out());
        time(6);
        assertEquals("5 #1 #2 6", out());
    }

    @Test
    void eachTickIsAWatermarkAlsoWhenTheClockJumpsOverItAndOverARestore() throws Exception {
        tick(0, 1, 2, 3);
        tick(1, 1);
        time(1);
        OperatorSubtaskState state = harness.snapshot(1, 1);
        assertEquals("1", out());
        harness.close();
        open(state);
        tick(0, 4, 5);
        tick(1, 2, 3, 4, 5);
        time(4);
        assertEquals("2 3 4", out());
    }

    @Test
    void aTickFromABrokenClockIsNobodysTurn() throws Exception {
        tick(0, 5);
        time(5);
        harness.processElement(new StreamRecord<>(new Record("t", 0, 0, 5, new byte[0], 99_000)));
        record(0);
        assertEquals("5 #1", out());
    }

    @Test
    void theEndOfTimeLetsAllOut() throws Exception {
        tick(0, 7);
        record(0);
        tick(0, Record.END);
        harness.processWatermark(new Watermark(Ticks.END_OF_TIME));
        assertEquals("7 #1 " + Long.MAX_VALUE, out());
    }
}
