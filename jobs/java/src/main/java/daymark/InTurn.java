package daymark;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
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
 * Brings records and time of several partitions into the order of the log: each record comes right behind the watermark
 * of the last tick before it in its own partition, and each tick is a watermark.
 *
 * <p>In live traffic nothing waits, but for the moment in which a tick reaches one partition before another. Of a backlog
 * a reader takes one partition after the other; without this operator a record would come long before its time, and time
 * then pass over what stands further behind in another partition. So what is made of a backlog, at which instants, is what
 * would have been made of it live, also when it is read a second time after a crash. Ticks themselves end here.
 */
public class InTurn extends AbstractStreamOperator<Record> implements OneInputStreamOperator<Record, Record> {
    private static final TypeInformation<Tuple2<String, Long>> PLACE = Types.TUPLE(Types.STRING, Types.LONG);
    private static final TypeInformation<Tuple2<Long, Record>> WAITING = Types.TUPLE(Types.LONG, Types.POJO(Record.class));

    private final Ticks ticks;

    private transient ListState<Tuple2<String, Long>> savedTicks;
    private transient ListState<Long> savedTurns;
    private transient ListState<Tuple2<Long, Record>> savedWaiting;
    private transient Map<String, Long> latest;
    private transient TreeMap<Long, Queue<Record>> waiting;
    private transient long reached;

    public InTurn(Ticks ticks) {
        this.ticks = ticks;
    }

    /** For jobs/alert.py, right behind the source, with the clock that the source has. One task: it keeps what waits. */
    public static SingleOutputStreamOperator<Record> of(DataStream<Record> records, Ticks ticks) {
        return records.transform("in turn", records.getType(), new InTurn(ticks));
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        savedTicks = context.getOperatorStateStore().getListState(new ListStateDescriptor<>("ticks", PLACE));
        savedTurns = context.getOperatorStateStore().getListState(new ListStateDescriptor<>("turns", Types.LONG));
        savedWaiting = context.getOperatorStateStore().getListState(new ListStateDescriptor<>("waiting", WAITING));
        latest = new HashMap<>();
        waiting = new TreeMap<>();
        reached = Long.MIN_VALUE;
        for (Tuple2<String, Long> one : savedTicks.get()) {
            latest.put(one.f0, one.f1);
        }
        for (Long turn : savedTurns.get()) {
            waitingFor(turn);
        }
        for (Tuple2<Long, Record> one : savedWaiting.get()) {
            waitingFor(one.f0).add(one.f1);
        }
    }

    @Override
    public void processElement(StreamRecord<Record> element) {
        Record record = element.getValue();
        String place = record.topic + "-" + record.partition;
        if (!record.isTick()) {
            long turn = turn(latest.getOrDefault(place, Long.MIN_VALUE));
            if (turn <= reached) {
                output.collect(element);
            } else {
                waitingFor(turn).add(record);
            }
        } else if (record.tick != Record.END && ticks.trusts(record)) {
            latest.merge(place, record.tick, Math::max);
            if (turn(record.tick) > reached) {
                waitingFor(turn(record.tick));
            }
        }
    }

    /** The watermark that a tick makes. */
    private long turn(long tick) {
        return tick == Long.MIN_VALUE ? tick : tick - ticks.lateness - 1;
    }

    private Queue<Record> waitingFor(long turn) {
        return waiting.computeIfAbsent(turn, some -> new ArrayDeque<>());
    }

    @Override
    public void processWatermark(Watermark watermark) throws Exception {
        while (!waiting.isEmpty() && waiting.firstKey() <= watermark.getTimestamp()) {
            reach(waiting.firstKey());
            for (Record record : waiting.pollFirstEntry().getValue()) {
                output.collect(new StreamRecord<>(record));
            }
        }
        reach(watermark.getTimestamp());
    }

    private void reach(long time) throws Exception {
        if (time > reached) {
            reached = time;
            super.processWatermark(new Watermark(time));
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        savedTicks.clear();
        for (Map.Entry<String, Long> one : latest.entrySet()) {
            savedTicks.add(Tuple2.of(one.getKey(), one.getValue()));
        }
        savedTurns.update(List.copyOf(waiting.keySet()));
        savedWaiting.clear();
        for (Map.Entry<Long, Queue<Record>> one : waiting.entrySet()) {
            for (Record record : one.getValue()) {
                savedWaiting.add(Tuple2.of(one.getKey(), record));
            }
        }
    }
}
