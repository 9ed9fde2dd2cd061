package daymark;

import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Stands between Python and the sink: says how far the lane's time has come, and cuts outputs that are too big for one
 * Kafka record at a line's end.
 */
public class Outlet extends AbstractStreamOperator<byte[]> implements OneInputStreamOperator<byte[], byte[]> {
    /** Below Kafka's usual limit of 1 MiB for a record, with room for the key and the record's own fields. */
    static final int LARGEST = 900_000;

    private final String lane;
    private final int largest;
    private long told = Long.MIN_VALUE;

    public Outlet(String lane, int largest) {
        this.lane = lane;
        this.largest = largest;
    }

    /** For jobs/detect.py: {@code elements} with progress between them, ready for the sink. */
    public static SingleOutputStreamOperator<byte[]> of(DataStream<byte[]> elements, String lane) {
        return elements.transform("outlet", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO, new Outlet(lane, LARGEST));
    }

    @Override
    public void processElement(StreamRecord<byte[]> element) {
        byte[] whole = element.getValue();
        if (whole.length <= largest) {
            output.collect(element);
            return;
        }
        byte[] key = Element.key(whole);
        for (int begin = Element.valueAt(whole); begin < whole.length; ) {
            int end = cut(whole, begin);
            output.collect(new StreamRecord<>(Element.join(whole[0], key, whole, begin, end)));
            begin = end + 1;
        }
    }

    /** The end of the last whole line within the limit; of the first line, when not even that one fits. */
    private int cut(byte[] from, int begin) {
        if (from.length - begin <= largest) {
            return from.length;
        }
        int end = begin + largest;
        while (end > begin && from[end] != '\n') {
            end--;
        }
        if (end == begin) {
            end = begin + largest;
            while (end < from.length && from[end] != '\n') {
                end++;
            }
        }
        return end;
    }

    @Override
    public void processWatermark(Watermark watermark) throws Exception {
        // Flink's own end of the stream may be the first to come through: the rules' input can be the last to begin.
        long reached = Math.min(watermark.getTimestamp(), Ticks.END_OF_TIME);
        if (reached > told) {
            told = reached;
            output.collect(new StreamRecord<>(progress(reached)));
        }
        super.processWatermark(watermark);
    }

    private byte[] progress(long watermark) {
        int subtask = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        int parallelism = getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks();
        String row = "{\"lane\":\"%s\",\"subtask\":%d,\"parallelism\":%d,\"watermark_ms\":%d,\"at_ms\":%d}"
                .formatted(lane, subtask, parallelism, watermark, System.currentTimeMillis());
        return Element.of(Element.PROGRESS, lane + "-" + subtask, row);
    }
}
