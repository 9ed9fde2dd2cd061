package daymark;

import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;

/**
 * Time is in the log: only ticks move a partition's watermark, whatever the times in the events are.
 *
 * <p>Flink keeps one generator for each partition and goes by the slowest. There is no idleness: a partition without
 * ticks stops the lane's clock, since nothing can be said about what it may still bring.
 */
public class Ticks implements WatermarkStrategy<Record> {
    /** The watermark of an {@code end} tick: past every deadline, and yet not Flink's own end of the stream. */
    static final long END_OF_TIME = Long.MAX_VALUE - 1;

    private final long lateness;

    /** @param lateness how many milliseconds after a tick events from before it are still in time; 0 or more */
    public Ticks(long lateness) {
        if (lateness < 0) {
            throw new IllegalArgumentException("allowed lateness must be 0 ms or more, not " + lateness);
        }
        this.lateness = lateness;
    }

    @Override
    public WatermarkGenerator<Record> createWatermarkGenerator(WatermarkGeneratorSupplier.Context context) {
        return new Clock(lateness);
    }

    static class Clock implements WatermarkGenerator<Record> {
        private final long lateness;
        private long watermark = Long.MIN_VALUE;
        private long emitted = Long.MIN_VALUE;

        Clock(long lateness) {
            this.lateness = lateness;
        }

        @Override
        public void onEvent(Record record, long timestamp, WatermarkOutput output) {
            if (record.isTick()) {
                watermark = Math.max(watermark, record.tick == Record.END ? END_OF_TIME : record.tick - lateness - 1);
            }
            if (record.tick == Record.END) {
                onPeriodicEmit(output); // a file's reader may be gone when the interval is over
            }
        }

        /** Every auto-watermark interval, and not at once: a backlog of ticks would cut the batches small. */
        @Override
        public void onPeriodicEmit(WatermarkOutput output) {
            if (watermark > emitted) {
                emitted = watermark;
                output.emitWatermark(new Watermark(watermark));
            }
        }
    }
}
