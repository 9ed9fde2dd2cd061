package daymark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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

    private void see(WatermarkGenerator<Record> clock, long tick) {
        clock.onEvent(new Record("t", 0, 0, 5_000_000, new byte[0], tick), 5_000_000, output);
        clock.onPeriodicEmit(output);
    }

    @Test
    void aloneMoveTheWatermarkAndNeverBack() {
        WatermarkGenerator<Record> clock = new Ticks(2_000).createWatermarkGenerator(null);
        see(clock, Record.NOT_A_TICK);
        see(clock, 10_000);
        see(clock, Record.NOT_A_TICK);
        see(clock, 9_000);
        see(clock, 11_000);
        assertEquals(List.of(7_999L, 8_999L), watermarks);
    }

    @Test
    void thatEndTimePassEveryDeadline() {
        WatermarkGenerator<Record> clock = new Ticks(2_000).createWatermarkGenerator(null);
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
    @ValueSource(strings = {"", "END", "12a", "-5", "1.5", " 1", "99999999999999999999", "nonsense"})
    void thatAreGarbledAreNoTicks(String header) {
        assertEquals(Record.NOT_A_TICK, tick(header));
    }

    @Test
    void needALatenessThatIsNotNegative() {
        assertThrows(IllegalArgumentException.class, () -> new Ticks(-1));
    }

    private static long tick(String header) {
        return RecordFormat.tick(header.getBytes(StandardCharsets.UTF_8));
    }
}
