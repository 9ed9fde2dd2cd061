package daymark;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.Header;
import org.apache.flink.util.Collector;

/**
 * Takes a Kafka record as it is, and says whether it is a tick.
 *
 * <p>Nothing that arrives can make this fail: a tick that cannot be read is an ordinary record, which ends among the
 * dead letters for what its value holds.
 */
public class RecordFormat implements KafkaRecordDeserializationSchema<Record> {
    static final String TICK_HEADER = "daymark-tick";
    private static final byte[] NOTHING = new byte[0];

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> from, Collector<Record> out) {
        byte[] value = from.value() == null ? NOTHING : from.value();
        Header header = from.headers().lastHeader(TICK_HEADER);
        long tick = header == null ? Record.NOT_A_TICK : Tick.of(header.value());
        out.collect(new Record(from.topic(), from.partition(), from.offset(), from.timestamp(), value, tick));
    }

    @Override
    public TypeInformation<Record> getProducedType() {
        return Types.POJO(Record.class);
    }
}
