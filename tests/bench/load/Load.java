import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Made-up trades into a topic, by a schedule that never waits for anybody: send n is due at {@code start + n / rate}, however
 * long the sends before it took. So a system that stalls is charged for all that came meanwhile (no coordinated omission).
 *
 * <p>tests/bench/load/plan.py says what each send is, and computes it again from a finding's event id. With {@code paced=false}
 * the same is written as fast as it goes, with a tick into every partition after each second of the log's own time.
 *
 * <p>Run from source: {@code java -cp 'JARS/*' Load.java name=value…}; prints one JSON object about how it kept up
 * with its schedule after the first {@code warm} sends.
 */
public final class Load {
    private static final String[] STEPS = {"ingested", "verified", "sent", "replied", "settled"};
    private static final String[] MARKETS = {"EU", "US", "ASIA"};

    private final Map<String, String> options = new HashMap<>();
    private final String topic;
    private final long startMs;
    private final long rate;
    private final long sends;
    private final long width;
    private final long copyEvery;
    private final long strandEvery;
    private final long markEvery;
    private final String run;
    private final boolean paced;

    private Load(String[] arguments) {
        for (String argument : arguments) {
            options.put(argument.substring(0, argument.indexOf('=')), argument.substring(argument.indexOf('=') + 1));
        }
        topic = options.get("topic");
        run = options.get("run");
        paced = Boolean.parseBoolean(options.get("paced"));
        startMs = number("start_ms");
        rate = number("rate");
        sends = number("sends");
        width = number("width");
        copyEvery = number("copy_every");
        strandEvery = number("strand_every");
        markEvery = number("mark_every");
    }

    public static void main(String[] arguments) {
        System.out.println(new Load(arguments).run());
    }

    private String run() {
        long warm = number("warm");
        int[] late = new int[paced ? (int) (sends - warm) : 0];
        long written = 0;
        long began = System.currentTimeMillis();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings())) {
            int partitions = producer.partitionsFor(topic).size();
            ProducerRecord<byte[], byte[]> last = null;
            for (long n = 0; n < sends; n++) {
                if (paced) {
                    int micros = waitUntil(dueMicros(n));
                    if (n >= warm) {
                        late[(int) (n - warm)] = micros;
                    }
                }
                boolean copy = copyEvery > 0 && n % copyEvery == copyEvery - 1;
                ProducerRecord<byte[], byte[]> record = copy ? last : record(n);
                if (record != null) {
                    producer.send(record);
                    written++;
                }
                last = record;
                if (!paced && dueMicros(n + 1) / 1_000_000 > dueMicros(n) / 1_000_000) {
                    tick(producer, partitions, dueMicros(n + 1) / 1_000_000 * 1000);
                }
            }
            producer.flush();
        }
        long took = System.currentTimeMillis() - began;
        Arrays.sort(late);
        return String.format("{\"written\": %d, \"took_ms\": %d, \"late_p50_ms\": %.3f, \"late_p99_ms\": %.3f, \"late_max_ms\": %.3f}",
                written, took, at(late, 0.5), at(late, 0.99), at(late, 1));
    }

    /** The instant of a send, epoch microseconds; its event carries the same, in ms. */
    private long dueMicros(long n) {
        return startMs * 1000 + n * 1_000_000 / rate;
    }

    /** Sleeps until then; how many microseconds too late it is in the end. */
    private static int waitUntil(long dueMicros) {
        long now;
        while ((now = micros()) < dueMicros) {
            LockSupport.parkNanos(Math.min((dueMicros - now) * 1000, 1_000_000));
        }
        return (int) Math.min(now - dueMicros, Integer.MAX_VALUE);
    }

    private static long micros() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
    }

    /** What send n is; null for a step that a stranded trade does not come to. */
    private ProducerRecord<byte[], byte[]> record(long n) {
        long event = copyEvery > 0 ? n - n / copyEvery : n;
        long within = event % (width * STEPS.length);
        int step = (int) (within / width);
        long trade = event / (width * STEPS.length) * width + within % width;
        if (step > 0 && strandEvery > 0 && trade % strandEvery == strandEvery - 1) {
            return null;
        }
        String key = "T-" + run + "-" + trade;
        boolean marked = markEvery > 0 && n % markEvery == 0;
        String value = "{\"specversion\":\"1.0\",\"id\":\"" + run + "-" + n + "\",\"source\":\"" + (marked ? "/marked" : "/trades")
                + "\",\"type\":\"trade." + STEPS[step] + "\",\"time\":\"" + Instant.ofEpochMilli(dueMicros(n) / 1000)
                + "\",\"data\":{\"trade_id\":\"" + key + "\",\"market\":\"" + MARKETS[(int) (trade % MARKETS.length)]
                + "\",\"book\":\"B" + trade % 7 + "\",\"amount\":" + (1000 + trade % 9000) + ".5,\"reference\":\"" + Long.toHexString(mixed(n)) + "\"}}";
        return new ProducerRecord<>(topic, key.getBytes(), value.getBytes());
    }

    /** Something that no compression can guess, as real records hold (the finaliser of splitmix64). */
    private static long mixed(long n) {
        long mixed = (n + 1) * 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }

    private void tick(KafkaProducer<byte[], byte[]> producer, int partitions, long instant) {
        List<Header> headers = List.of(new RecordHeader("daymark-tick", Long.toString(instant).getBytes()));
        byte[] value = ("{\"tick\": " + instant + "}").getBytes();
        for (int partition = 0; partition < partitions; partition++) {
            producer.send(new ProducerRecord<>(topic, partition, null, null, value, headers));
        }
    }

    private Properties settings() {
        Properties settings = new Properties();
        settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, options.get("bootstrap"));
        settings.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
        settings.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
        settings.put(ProducerConfig.LINGER_MS_CONFIG, paced ? "2" : "20");
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, "131072");
        settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, "134217728");
        settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, options.getOrDefault("compression", "none"));
        return settings;
    }

    private long number(String name) {
        return Long.parseLong(options.get(name));
    }

    private static double at(int[] sorted, double share) {
        return sorted.length == 0 ? 0 : sorted[(int) Math.min(sorted.length - 1, sorted.length * share)] / 1000.0;
    }
}
