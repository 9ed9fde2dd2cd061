package daymark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.metrics.SimpleCounter;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Ticks")
class TicksTest {
    private final List<Long> watermarks = new ArrayList<>();
    private final WatermarkOutput output = new WatermarkOutput() {
        @Override
        public void emitWatermark(Watermark watermark) {
            watermarks.add(watermark.getTimestamp());
        }

        @Override
        public void markIdle() {}

        @Override
        public void markActive() {}
    };

    private final SimpleCounter ignored = new SimpleCounter();

    private WatermarkGenerator<Record> clock(Ticks ticks) {
        return new TickClock(ticks, ignored);
    }

    private void see(WatermarkGenerator<Record> clock, long... ticks) {
        for (long tick : ticks) {
            clock.onEvent(new Record("t", 0, 0, 5_000_000, new byte[0], tick), 5_000_000, output);
            clock.onPeriodicEmit(output);
        }
    }

    @Test
    void aloneMoveTheWatermarkAndNeverBack() {
        WatermarkGenerator<Record> clock = clock(new Ticks(2_000));
        see(clock, Record.NOT_A_TICK);
        see(clock, 10_000);
        see(clock, Record.NOT_A_TICK);
        see(clock, 9_000);
        see(clock, 11_000);
        assertEquals(List.of(7_999L, 8_999L), watermarks);
    }

    @Test
    void thatEndTimePassEveryDeadline() {
        WatermarkGenerator<Record> clock = clock(new Ticks(2_000));
        see(clock, Record.END);
        see(clock, 10_000);
        assertEquals(List.of(Long.MAX_VALUE - 1), watermarks);
    }

    @Test
    void areReadFromDigitsAndEnd() {
        assertEquals(1_700_000_000_000L, tick("1700000000000"));
        assertEquals(Record.END, tick("end"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"tick\": 1700000000000}", "{\"tick\":1700000000000}"})
    void areReadFromLinesOfAFile(String line) {
        assertEquals(1_700_000_000_000L, line(line));
        assertEquals(Record.END, line(line.replace("1700000000000", "\"end\"")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"tick\":", "{\"tick\":}", "{\"tick\": \"5\"}", "{\"tick\": 5, \"id\": 1}", "{\"tick\": end}", "{\"tock\": 5}"})
    void areNoOtherLines(String line) {
        assertEquals(Record.NOT_A_TICK, line(line));
    }

    @Test
    void thatEndTimeAreToldAtOnceSinceAFileEndsWithThem() {
        WatermarkGenerator<Record> clock = clock(new Ticks(2_000));
        clock.onEvent(new Record("t", 0, 0, 0, new byte[0], 10_000), 0, output);
        assertEquals(List.of(), watermarks);
        clock.onEvent(new Record("t", 0, 0, 0, new byte[0], Record.END), 0, output);
        assertEquals(List.of(Long.MAX_VALUE - 1), watermarks);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "END", "12a", "-5", "1.5", " 1", "99999999999999999999", "nonsense"})
    void thatAreGarbledAreNoTicks(String header) {
        assertEquals(Record.NOT_A_TICK, tick(header));
    }

    @Test
    void needALatenessThatIsNotNegative() {
        assertThrows(IllegalArgumentException.class, () -> new Ticks(-1));
        assertThrows(IllegalArgumentException.class, () -> new Ticks(0).live(-1, 0, 0));
    }

    @ParameterizedTest
    @CsvSource({"5059999, true", "5060000, true", "5060001, false"})
    void aheadOfTheirRecordMoveNothingInALiveLane(long tick, boolean moves) {
        WatermarkGenerator<Record> clock = clock(new Ticks(0).live(60_000, 10_000_000, 0));
        see(clock, 5_000_000, tick, 5_000_001);
        assertEquals(moves ? List.of(4_999_999L, tick - 1) : List.of(4_999_999L, 5_000_000L), watermarks);
        assertEquals(moves ? 0 : 1, ignored.getCount());
    }

    @Test
    void aheadOfTheirRecordAreTrustedElsewhereSinceAReplayMayBeAboutTheFuture() {
        see(clock(new Ticks(0)), 5_000_000_000L);
        assertEquals(List.of(4_999_999_999L), watermarks);
    }

    @Test
    void thatEndTimeAreNeverAhead() {
        see(clock(new Ticks(0).live(60_000, 10_000, 10_000)), Record.END);
        assertEquals(List.of(Long.MAX_VALUE - 1), watermarks);
    }

    @ParameterizedTest
    @CsvSource({"109999, true", "110000, true", "110001, false"})
    void behindAGapDoNotMoveTime(long tick, boolean moves) {
        see(clock(new Ticks(0).live(60_000, 10_000, 10_000)), 100_000, tick);
        assertEquals(moves ? List.of(99_999L, tick - 1) : List.of(99_999L), watermarks);
    }

    @ParameterizedTest
    @CsvSource({"209999, false", "210000, true", "210001, true"})
    void moveTimeAgainWhenTheGraceIsOver(long tick, boolean moves) {
        see(clock(new Ticks(0).live(60_000, 10_000, 10_000)), 100_000, 200_000, 205_000, tick);
        assertEquals(moves ? List.of(99_999L, tick - 1) : List.of(99_999L), watermarks);
    }

    @Test
    void behindASecondGapWaitForItsGraceToo() {
        WatermarkGenerator<Record> clock = clock(new Ticks(0).live(60_000, 10_000, 10_000));
        see(clock, 100_000, 200_000, 209_000, 300_000, 309_999, 310_000);
        assertEquals(List.of(99_999L, 309_999L), watermarks);
    }

    @Test
    void ofAReplayComeOnAnyGrid() {
        see(clock(new Ticks(0)), 100_000, 4_000_000);
        assertEquals(List.of(99_999L, 3_999_999L), watermarks);
    }

    private static long tick(String header) {
        return Tick.of(header.getBytes(StandardCharsets.UTF_8));
    }

    private static long line(String line) {
        byte[] text = (" " + line + " ").getBytes(StandardCharsets.UTF_8);
        return Tick.ofLine(text, 1, text.length - 1);
    }
}
