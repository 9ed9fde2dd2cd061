package daymark;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.util.Collector;

/** A record of one of several topics of documents, for Python: the topic's name, then what {@link RuleFormat} says. */
public class DocumentFormat implements KafkaRecordDeserializationSchema<byte[]> {
    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> from, Collector<byte[]> out) {
        byte[] topic = from.topic().getBytes(StandardCharsets.UTF_8);
        byte[] record = RuleFormat.bytes(from);
        out.collect(ByteBuffer.allocate(2 + topic.length + record.length)
                .putShort((short) topic.length)
                .put(topic)
                .put(record)
                .array());
    }

    @Override
    public TypeInformation<byte[]> getProducedType() {
        return PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO;
    }
}
