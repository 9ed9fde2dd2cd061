package daymark;

import java.util.Properties;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaSinkBuilder;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.producer.ProducerRecord;

/** Sends each element to the topic that its tag names. */
public class Router implements KafkaRecordSerializationSchema<byte[]> {
    /** All tags that an element of the detect job may have. */
    static final String TAGS = "FTIED" + Element.PROGRESS;

    private final String prefix;

    /** @param prefix what the names of the topics begin with, {@code daymark.} by default */
    public Router(String prefix) {
        this.prefix = prefix;
    }

    /**
     * For jobs/streams.py: the sink.
     *
     * @param transactions the prefix of the transactional ids for exactly once, or empty for at least once
     */
    public static KafkaSink<byte[]> sink(String bootstrap, String prefix, String transactions, Properties producer) {
        KafkaSinkBuilder<byte[]> builder = KafkaSink.<byte[]>builder()
                .setKafkaProducerConfig(producer)
                .setBootstrapServers(bootstrap)
                .setRecordSerializer(new Router(prefix))
                .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE);
        if (!transactions.isEmpty()) {
            builder.setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE).setTransactionalIdPrefix(transactions);
        }
        return builder.build();
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(byte[] element, KafkaSinkContext context, Long timestamp) {
        byte[] key = Element.key(element);
        return new ProducerRecord<>(prefix + name(Element.tag(element)), key.length == 0 ? null : key, Element.value(element));
    }

    static String name(char tag) {
        return switch (tag) {
            case 'F' -> "findings";
            case 'T' -> "transitions";
            case 'I' -> "items";
            case 'E' -> "eventlog";
            case 'D' -> "deadletters";
            case 'A' -> "alerts";
            case 'L' -> "alertlog";
            case 'C' -> "incidents";
            case 'N' -> "notifications";
            case Element.PROGRESS -> "progress";
            default -> throw new IllegalArgumentException("no topic for tag '" + tag + "': see docs/contracts.md");
        };
    }
}
