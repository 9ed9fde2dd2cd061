package daymark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Behind an absence of the job")
class AbsenceTest {
    private OneInputStreamOperatorTestHarness<Record, Record> harness;

    private void open(OperatorSubtaskState from) throws Exception {
        Ticks ticks = new Ticks(2_000).live(60_000, 10_000, 10_000);
        harness = new OneInputStreamOperatorTestHarness<>(new Absence(ticks));
        if (from != null) {
            harness.initializeState(from);
        }
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    /** What a job saw before it was taken away, all but for its state. */
    private void awayAfter(long... seen) throws Exception {
        open(null);
        tick(0, seen);
        tick(1, seen);
        OperatorSubtaskState state = harness.snapshot(1, 1);
        harness.close();
        open(state);
    }

    private void tick(int partition, long... ticks) throws Exception {
        for (long tick : ticks) {
            long at = tick == Record.END ? 0 : tick;
            harness.processElement(new StreamRecord<>(new Record("t", partition, 0, at, new byte[0], tick)));
        }
    }

    /** The watermarks that come through, of those that the ticks at these instants make. */
    private List<Long> through(long... ticks) throws Exception {
        for (long tick : ticks) {
            tick(0, tick);
            tick(1, tick);
            harness.processWatermark(new Watermark(tick - 2_001));
        }
        List<Long> seen = new ArrayList<>();
        for (Object element : harness.getOutput()) {
            if (element instanceof Watermark watermark) {
                seen.add(watermark.getTimestamp() + 2_001);
            }
        }
        return seen;
    }

    @ParameterizedTest
    @CsvSource({"109999, true", "110000, true", "110001, false"})
    void timeGoesOnAtOnceWhereTheTicksDid(long first, boolean moves) throws Exception {
        awayAfter(90_000, 100_000);
        assertEquals(moves ? List.of(first) : List.of(), through(first));
    }

    @ParameterizedTest
    @CsvSource({"209999, false", "210000, true", "210001, true"})
    void timeGoesOnWhenTheGraceIsOver(long later, boolean moves) throws Exception {
        awayAfter(100_000);
        assertEquals(moves ? List.of(later) : List.of(), through(200_000, 201_000, later));
    }

    @Test
    void timeIsHeldByASecondAbsenceDuringTheGraceOfTheFirst() throws Exception {
        awayAfter(100_000);
        assertEquals(List.of(), through(200_000));
        OperatorSubtaskState state = harness.snapshot(2, 2);
        harness.close();
        open(state);
        assertEquals(List.of(312_000L), through(300_000, 309_999, 312_000));
    }

    @Test
    void timeIsHeldWhereOnePartitionHasAGap() throws Exception {
        awayAfter(100_000);
        tick(0, 101_000);
        tick(1, 200_000);
        harness.processWatermark(new Watermark(101_000));
        assertEquals(List.of(), through());
    }

    @Test
    void aTickFromABrokenClockIsNotTheFirst() throws Exception {
        awayAfter(100_000);
        harness.processElement(new StreamRecord<>(new Record("t", 0, 0, 101_000, new byte[0], 999_000)));
        assertEquals(List.of(101_000L), through(101_000));
    }

    @Test
    void theEndOfTimeIsNeverHeld() throws Exception {
        awayAfter(100_000);
        tick(0, 200_000, Record.END);
        harness.processWatermark(new Watermark(Ticks.END_OF_TIME));
        assertEquals(1, through().size());
    }

    @Test
    void aSavepointThatKnowsNoTicksCountsAsAGap() throws Exception {
        open(null);
        OperatorSubtaskState state = harness.snapshot(1, 1);
        harness.close();
        open(state);
        assertEquals(List.of(110_000L), through(100_000, 109_999, 110_000));
    }

    @Test
    void aPartitionThatIsNewHoldsNothing() throws Exception {
        awayAfter(100_000);
        tick(2, 101_000);
        assertEquals(List.of(101_000L), through(101_000));
    }

    @Test
    void aFirstStartIsNoAbsence() throws Exception {
        open(null);
        assertEquals(List.of(100_000L), through(100_000));
    }

    @Test
    void recordsComeThroughUntouched() throws Exception {
        awayAfter(100_000);
        Record record = new Record("t", 0, 7, 200_000, new byte[] {1}, Record.NOT_A_TICK);
        tick(0, 200_000);
        harness.processElement(new StreamRecord<>(record));
        Record out = harness.extractOutputValues().get(1);
        assertEquals(List.of(7L, 200_000L, 1), List.of(out.offset, out.timestamp, out.value.length));
    }
}
