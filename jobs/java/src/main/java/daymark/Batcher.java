package daymark;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.types.Row;
import org.apache.flink.util.OutputTag;

/**
 * Gathers records into batches of frames, a batch for each bucket, so that Python is called once for many records.
 *
 * <p>Nothing waits here across a watermark or a checkpoint: what has come before one goes out before it. So a batch
 * never holds records from both sides of a watermark, and a checkpoint needs no state of this operator's. It knows no
 * rule; all it reads of a record is the text of its correlation keys.
 */
public class Batcher extends AbstractStreamOperator<Row> implements OneInputStreamOperator<Record, Row> {
    private final BatcherSettings settings;

    private transient Map<String, Reader> readers;
    private transient Frames[] buckets;
    private transient int[] numbers;
    private transient Buckets[] stages;
    private transient int records;
    private transient int bytes;
    private transient boolean flushIsDue;
    private transient long nextPulse;

    public Batcher(BatcherSettings settings) {
        this.settings = settings;
    }

    /** For jobs/detect.py: the batches of {@code records}, as rows (bucket, batch). */
    public static SingleOutputStreamOperator<Row> of(DataStream<Record> records, String settings) {
        return records.transform("batch", Buckets.TYPE, new Batcher(BatcherSettings.parse(settings)));
    }

    /** The mappings of one topic: their keys are found in one scan, key k of mapping m at slot starts[m] + k. */
    private static class Reader {
        final KeyScan scan;
        final int[] mappings;
        final int[] starts;
        final int[][][] stages;
        long latest = Long.MIN_VALUE;

        Reader(List<BatcherSettings.Mapping> candidates) {
            scan = new KeyScan(candidates.stream().flatMap(one -> List.of(one.keys).stream()).toArray(String[][]::new));
            mappings = candidates.stream().mapToInt(one -> one.mapping).toArray();
            stages = candidates.stream().map(one -> one.stages).toArray(int[][][]::new);
            starts = new int[mappings.length + 1];
            for (int i = 0; i < mappings.length; i++) {
                starts[i + 1] = starts[i] + candidates.get(i).keys.length;
            }
        }
    }

    @Override
    public void open() throws Exception {
        super.open();
        readers = new HashMap<>();
        settings.topics.forEach((topic, mappings) -> readers.put(topic, new Reader(mappings)));
        numbers = numbers(settings.buckets, getRuntimeContext().getTaskInfo().getMaxNumberOfParallelSubtasks());
        buckets = new Frames[settings.buckets];
        for (int i = 0; i < buckets.length; i++) {
            buckets[i] = new Frames();
        }
        stages = new Buckets[settings.stages()];
        for (int i = 0; i < stages.length; i++) {
            stages[i] = new Buckets(numbers);
        }
        nextPulse = settings.pulse > 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }

    /**
     * The numbers by which Flink and Python know the buckets: such that the buckets lie evenly over Flink's key groups,
     * and so over tasks. A key's group is a hash of it, and 0 to 31 could fall 21 to 11 on two tasks.
     */
    static int[] numbers(int buckets, int groups) {
        Map<Integer, Integer> next = new HashMap<>();
        int[] numbers = new int[buckets];
        for (int i = 0; i < buckets; i++) {
            int group = (int) ((long) i * groups / buckets);
            int number = next.getOrDefault(group, 0);
            while (KeyGroupRangeAssignment.assignToKeyGroup(Row.of(number), groups) != group) {
                number++;
            }
            numbers[i] = number;
            next.put(group, number + 1);
        }
        return numbers;
    }

    @Override
    public void processElement(StreamRecord<Record> element) {
        Record record = element.getValue();
        if (record.isTick()) {
            return;
        }
        Reader reader = readers.get(record.topic);
        if (reader == null) {
            throw new IllegalStateException("The savepoint has the job read topic " + record.topic
                    + ", which no mapping reads any more; map the topic again, or start without the savepoint.");
        }
        reader.latest = Math.max(reader.latest, record.timestamp);
        if (record.value.length <= settings.largest && reader.scan.scan(record.value)) {
            addCopies(record, reader);
        } else {
            add(bucketOf(31 * record.partition + Long.hashCode(record.offset)), reader.mappings[0], Frames.NO_KEY, record);
        }
        if (records >= settings.records || bytes >= settings.bytes) {
            flush();
        } else if (!flushIsDue) {
            flushIsDue = true;
            long now = getProcessingTimeService().getCurrentProcessingTime();
            getProcessingTimeService().registerTimer(now + settings.delay, at -> flushLate());
        }
    }

    /** One copy for each correlation key that is there. */
    private void addCopies(Record record, Reader reader) {
        for (int i = 0; i < reader.mappings.length; i++) {
            for (int slot = reader.starts[i]; slot < reader.starts[i + 1]; slot++) {
                if (reader.scan.has(slot)) {
                    int key = slot - reader.starts[i];
                    add(bucketOf(reader.scan.hash(slot)), reader.mappings[i], key, record);
                    if (key < reader.stages[i].length) {
                        addToStages(reader.stages[i][key], reader.scan.hash(slot), reader.mappings[i], key, record);
                    }
                }
            }
        }
    }

    /** Where a workflow has several keys, each but the first has a stage that learns links from it and follows them. */
    private void addToStages(int[] those, int hash, int mapping, int key, Record record) {
        for (int stage : those) {
            stages[stage - 1].of(hash).add(mapping, key, record);
            bytes += Frames.HEADER + record.value.length;
        }
    }

    private void add(int bucket, int mapping, int key, Record record) {
        buckets[bucket].add(mapping, key, record);
        records++;
        bytes += Frames.HEADER + record.value.length;
    }

    private int bucketOf(int hash) {
        return bucketOf(hash, settings.buckets);
    }

    /** Spreads a hash over the buckets (the finalizer of MurmurHash3): hashes of like texts are alike. */
    static int bucketOf(int hash, int buckets) {
        hash ^= hash >>> 16;
        hash *= 0x85ebca6b;
        hash ^= hash >>> 13;
        hash *= 0xc2b2ae35;
        hash ^= hash >>> 16;
        return Math.floorMod(hash, buckets);
    }

    private void flushLate() {
        flushIsDue = false;
        flush();
    }

    private void flush() {
        if (records == 0) {
            return;
        }
        for (int i = 0; i < buckets.length; i++) {
            if (!buckets[i].isEmpty()) {
                output.collect(new StreamRecord<>(Row.of(numbers[i], buckets[i].take())));
            }
        }
        for (int i = 0; i < stages.length; i++) {
            OutputTag<Row> tag = Buckets.stage(i + 1);
            stages[i].flush(row -> output.collect(tag, new StreamRecord<>(row)));
        }
        records = 0;
        bytes = 0;
    }

    /** Behind all that came before the watermark, so that who is told of it has seen that. */
    private void pulse(long watermark) {
        nextPulse = watermark < Ticks.END_OF_TIME - settings.pulse ? watermark + settings.pulse : Ticks.END_OF_TIME;
        Map<String, Long> latest = new TreeMap<>();
        readers.forEach((topic, reader) -> {
            if (reader.latest != Long.MIN_VALUE) {
                latest.put(topic, reader.latest);
            }
        });
        int subtask = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        int subtasks = getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks();
        for (int i = 0; i < buckets.length; i++) {
            byte[] payload = Pulse.of(subtasks, i, buckets.length, watermark, latest);
            add(i, Frames.PULSE, 0, new Record("", subtask, 0, 0, payload, Record.NOT_A_TICK));
        }
    }

    @Override
    public void processWatermark(Watermark watermark) throws Exception {
        if (watermark.getTimestamp() >= nextPulse && watermark.getTimestamp() != Long.MAX_VALUE) {
            pulse(watermark.getTimestamp());
        }
        flush();
        super.processWatermark(watermark);
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpoint) {
        flush();
    }

    @Override
    public void finish() throws Exception {
        flush();
        super.finish();
    }
}
