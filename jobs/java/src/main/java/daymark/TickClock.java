package daymark;

import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.metrics.Counter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The clock of one partition: its watermark is that of the latest tick, less the allowed lateness. */
class TickClock implements WatermarkGenerator<Record> {
    private static final Logger LOG = LoggerFactory.getLogger(TickClock.class);
    private static final long NONE = Long.MIN_VALUE;
    private static final long SILENCE = 60_000;

    private final Ticks ticks;
    private final Counter ignored;
    private long latest = NONE;
    private long heldUntil = NONE;
    private long watermark = NONE;
    private long emitted = NONE;
    private long toldAt = NONE;

    TickClock(Ticks ticks, Counter ignored) {
        this.ticks = ticks;
        this.ignored = ignored;
    }

    @Override
    public void onEvent(Record record, long timestamp, WatermarkOutput output) {
        if (!record.isTick()) {
            return;
        }
        if (record.tick == Record.END) {
            watermark = Ticks.END_OF_TIME;
            onPeriodicEmit(output); // a file's reader may be gone when the interval is over
        } else if (!ticks.trusts(record)) {
            ignore(record);
        } else if (record.tick > latest) {
            advance(record.tick);
        }
    }

    /** Behind a gap the watermark stays where the gap began until the ticks have come `grace` further. */
    private void advance(long tick) {
        boolean afterGap = latest != NONE && tick - latest > ticks.gap;
        if (afterGap) {
            heldUntil = tick + ticks.grace;
        }
        latest = tick;
        if (tick >= heldUntil) {
            watermark = Math.max(watermark, tick - ticks.lateness - 1);
        }
    }

    /** Counts each, and tells of one a minute. */
    private void ignore(Record record) {
        ignored.inc();
        if (toldAt == NONE || record.timestamp - toldAt >= SILENCE) {
            toldAt = record.timestamp;
            LOG.warn("{}, partition {}, offset {}: a tick of {} is ahead of its record's timestamp {}; it moves nothing",
                    record.topic, record.partition, record.offset, record.tick, record.timestamp);
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
