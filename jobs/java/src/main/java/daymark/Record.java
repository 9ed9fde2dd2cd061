package daymark;

/** One record of a log, from Kafka or from a file, as the batcher sees it. A plain POJO, so that Flink can also carry it between tasks. */
public class Record {
    /** The value of {@link #tick} in a record that is not a tick. */
    public static final long NOT_A_TICK = Long.MIN_VALUE;

    /** The value of {@link #tick} in a tick that ends time: every deadline that is armed falls due. */
    public static final long END = Long.MAX_VALUE;

    public String topic;
    public int partition;
    public long offset;

    /** When the log took the record, epoch milliseconds. */
    public long timestamp;

    /** The record's value; empty where the log has none. */
    public byte[] value;

    /** Epoch milliseconds up to which this partition is complete, {@link #END} or {@link #NOT_A_TICK}. */
    public long tick = NOT_A_TICK;

    /** For Flink's POJO serializer. */
    public Record() {}

    public Record(String topic, int partition, long offset, long timestamp, byte[] value, long tick) {
        this.topic = topic;
        this.partition = partition;
        this.offset = offset;
        this.timestamp = timestamp;
        this.value = value;
        this.tick = tick;
    }

    public boolean isTick() {
        return tick != NOT_A_TICK;
    }
}
