package daymark;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Holds time back behind a gap of ticks over which the job was restored, from a savepoint or by Flink's own failover.
 *
 * <p>{@link TickClock} is made anew then and has forgotten its last tick; Flink keeps no state for it. So this operator,
 * chained behind the source, remembers the last tick of each partition, and compares the first one that it reads. Where
 * the ticks went on while the job was away there is no gap, and time goes on at once.
 */
public class Absence extends AbstractStreamOperator<Record> implements OneInputStreamOperator<Record, Record> {
    private static final TypeInformation<Tuple2<String, Long>> PLACE = Types.TUPLE(Types.STRING, Types.LONG);

    private final Ticks ticks;

    private transient ListState<Tuple2<String, Long>> state;
    private transient Map<String, Long> latest;
    private transient Set<String> met;
    private transient boolean unknown;
    private transient long heldUntil;

    public Absence(Ticks ticks) {
        this.ticks = ticks;
    }

    /** For jobs/detect.py and jobs/alert.py: {@code records}, without the watermarks that come too early. */
    public static SingleOutputStreamOperator<Record> of(DataStream<Record> records, Ticks ticks) {
        return records.transform("absence", records.getType(), new Absence(ticks));
    }

    /** Every task gets the ticks of all partitions, since Flink may give it others than before. */
    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        state = context.getOperatorStateStore().getUnionListState(new ListStateDescriptor<>("ticks", PLACE));
        latest = new HashMap<>();
        met = new HashSet<>();
        heldUntil = Long.MIN_VALUE;
        if (context.isRestored()) {
            for (Tuple2<String, Long> one : state.get()) {
                latest.merge(one.f0, one.f1, Math::max);
            }
        }
        unknown = context.isRestored() && latest.isEmpty(); // a savepoint from before this operator
    }

    @Override
    public void processElement(StreamRecord<Record> element) {
        Record record = element.getValue();
        if (record.isTick() && record.tick != Record.END && ticks.trusts(record)) {
            see(record);
        }
        output.collect(element);
    }

    private void see(Record record) {
        String place = record.topic + "-" + record.partition;
        if (met.add(place)) {
            Long before = latest.get(place);
            if (before == null ? unknown : record.tick - before > ticks.gap) {
                heldUntil = Math.max(heldUntil, record.tick + ticks.grace);
            }
        }
        latest.merge(place, record.tick, Math::max);
    }

    @Override
    public void processWatermark(Watermark watermark) throws Exception {
        if (watermark.getTimestamp() >= heldUntil - ticks.lateness - 1 || heldUntil == Long.MIN_VALUE) {
            super.processWatermark(watermark);
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        state.clear();
        for (Map.Entry<String, Long> one : latest.entrySet()) {
            state.add(Tuple2.of(one.getKey(), one.getValue()));
        }
    }
}
