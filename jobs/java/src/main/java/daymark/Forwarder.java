package daymark;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.types.Row;
import org.apache.flink.util.OutputTag;

/**
 * Takes the frames that a stage in front of detect sends on, and gathers them into batches for where they go: to detect,
 * or to a stage behind. As with {@link Batcher}, nothing waits here across a watermark or a checkpoint.
 */
public class Forwarder extends AbstractStreamOperator<Row> implements OneInputStreamOperator<byte[], Row> {
    /** The key of frames that are on the way to another key than one of their record's (docs/contracts.md). */
    static final int ROUTED = 253;

    private static final int KEY = Frames.HEADER + 8;
    private static final int TEXT = KEY + 1 + 1 + 8;

    private final BatcherSettings settings;
    private final int stage;

    private transient Buckets[] ways;
    private transient int bytes;
    private transient boolean flushIsDue;

    public Forwarder(BatcherSettings settings, int stage) {
        this.settings = settings;
        this.stage = stage;
    }

    /** For jobs/links.py: the batches for detect; those for the stages behind are side outputs. */
    public static SingleOutputStreamOperator<Row> of(DataStream<byte[]> frames, String settings, int stage) {
        return frames.transform("forward", Buckets.TYPE, new Forwarder(BatcherSettings.parse(settings), stage));
    }

    /** For jobs/links.py: what a batcher or a forwarder has for this stage. */
    public static DataStream<Row> towards(SingleOutputStreamOperator<Row> batches, int stage) {
        return batches.getSideOutput(Buckets.stage(stage));
    }

    @Override
    public void open() throws Exception {
        super.open();
        int[] numbers = Batcher.numbers(settings.buckets, getRuntimeContext().getTaskInfo().getMaxNumberOfParallelSubtasks());
        ways = new Buckets[stage];
        for (int key = 0; key < stage; key++) {
            ways[key] = new Buckets(numbers);
        }
    }

    @Override
    public void processElement(StreamRecord<byte[]> element) {
        byte[] run = element.getValue();
        ByteBuffer in = ByteBuffer.wrap(run);
        for (int begin = 0; begin < run.length; ) {
            int end = begin + Frames.HEADER + in.getInt(begin + Frames.HEADER - 4);
            int text = begin + TEXT + 2;
            int length = in.getShort(begin + TEXT) & 0xffff;
            int hash = new String(run, text, length, StandardCharsets.UTF_8).hashCode();
            ways[run[begin + KEY] & 0xff].of(hash).add(run, begin, end);
            begin = end;
        }
        bytes += run.length;
        if (bytes >= settings.bytes) {
            flush();
        } else if (!flushIsDue) {
            flushIsDue = true;
            long now = getProcessingTimeService().getCurrentProcessingTime();
            getProcessingTimeService().registerTimer(now + settings.delay, at -> flushLate());
        }
    }

    private void flushLate() {
        flushIsDue = false;
        flush();
    }

    private void flush() {
        if (bytes == 0) {
            return;
        }
        ways[0].flush(row -> output.collect(new StreamRecord<>(row)));
        for (int key = 1; key < stage; key++) {
            OutputTag<Row> tag = Buckets.stage(key);
            ways[key].flush(row -> output.collect(tag, new StreamRecord<>(row)));
        }
        bytes = 0;
    }

    @Override
    public void processWatermark(Watermark watermark) throws Exception {
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
