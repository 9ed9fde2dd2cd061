package daymark;

import java.nio.charset.StandardCharsets;
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
        long tick = header == null ? Record.NOT_A_TICK : tick(header.value());
        out.collect(new Record(from.topic(), from.partition(), from.offset(), from.timestamp(), value, tick));
    }

    /** Reads {@code end} or epoch milliseconds in ASCII digits; anything else is not a tick. */
    static long tick(byte[] header) {
        if (header == null || header.length == 0 || header.length > 18) {
            return Record.NOT_A_TICK;
        }
        String text = new String(header, StandardCharsets.ISO_8859_1);
        if (text.equals("end")) {
            return Record.END;
        }
        long millis = 0;
        for (byte digit : header) {
            if (digit < '0' || digit > '9') {
                return Record.NOT_A_TICK;
            }
            millis = millis * 10 + (digit - '0');
        }
        return millis;
    }

    @Override
    public TypeInformation<Record> getProducedType() {
        return Types.POJO(Record.class);
    }
}
