package daymark;

import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.metrics.Counter;

/**
 * Time is in the log: only ticks move a partition's watermark, whatever the times in the events are.
 *
 * <p>Flink keeps one generator for each partition and goes by the slowest. There is no idleness: a partition without
 * ticks stops the lane's clock, since nothing can be said about what it may still bring.
 *
 * <p>A live lane's clock (see {@link #live}) mistrusts its ticks besides; of a gap over which the job was restored
 * {@link Absence} knows. All spans are milliseconds.
 */
public class Ticks implements WatermarkStrategy<Record> {
    /** The watermark of an {@code end} tick: past every deadline, and yet not Flink's own end of the stream. */
    static final long END_OF_TIME = Long.MAX_VALUE - 1;

    final long lateness;
    long ahead = Long.MAX_VALUE;
    long gap = Long.MAX_VALUE;
    long grace;

    /** @param lateness how long after a tick events from before it are still in time; 0 or more */
    public Ticks(long lateness) {
        if (lateness < 0) {
            throw new IllegalArgumentException("allowed lateness must be 0 ms or more, not " + lateness);
        }
        this.lateness = lateness;
    }

    /**
     * For a lane whose clock is the wall clock.
     *
     * @param ahead a tick that is further ahead of Kafka's timestamp comes from a broken clock, and moves nothing
     * @param gap a longer span between two ticks says that broker or ticker was away
     * @param grace how long after a gap time stands still where it began: producers empty their buffers first
     */
    public Ticks live(long ahead, long gap, long grace) {
        if (ahead < 0 || gap < 0 || grace < 0) {
            throw new IllegalArgumentException("spans of ticks must be 0 ms or more");
        }
        this.ahead = ahead;
        this.gap = gap;
        this.grace = grace;
        return this;
    }

    /** Whether a tick may move time: it is not from a clock that is ahead of the one that stamps the records. */
    boolean trusts(Record record) {
        return record.tick - record.timestamp <= ahead;
    }

    @Override
    public WatermarkGenerator<Record> createWatermarkGenerator(WatermarkGeneratorSupplier.Context context) {
        Counter ignored = context.getMetricGroup().addGroup("daymark").counter("ticks_ignored");
        return new TickClock(this, ignored);
    }
}
