package daymark;

import java.nio.ByteBuffer;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.util.Collector;

/** A record of the rules topic with its place and key, for Python (layout: docs/contracts.md). */
public class RuleFormat implements KafkaRecordDeserializationSchema<byte[]> {
    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> from, Collector<byte[]> out) {
        out.collect(bytes(from));
    }

    static byte[] bytes(ConsumerRecord<byte[], byte[]> from) {
        byte[] key = from.key() == null ? new byte[0] : from.key();
        byte[] value = from.value() == null ? new byte[0] : from.value();
        return ByteBuffer.allocate(4 + 8 + 8 + 4 + key.length + value.length)
                .putInt(from.partition())
                .putLong(from.offset())
                .putLong(from.timestamp())
                .putInt(key.length)
                .put(key)
                .put(value)
                .array();
    }

    @Override
    public TypeInformation<byte[]> getProducedType() {
        return PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO;
    }
}
