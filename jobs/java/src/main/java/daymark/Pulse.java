package daymark;

import java.io.UncheckedIOException;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** What every bucket is told now and then, so that something can happen in it without a record (docs/contracts.md). */
final class Pulse {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Pulse() {}

    /** The payload of a pulse frame, as docs/contracts.md has it. Instants are epoch milliseconds. */
    static byte[] of(int readers, int bucket, int buckets, long watermark, Map<String, Long> topics) {
        try {
            return JSON.writeValueAsBytes(JSON.createObjectNode()
                    .put("readers", readers)
                    .put("bucket", bucket)
                    .put("buckets", buckets)
                    .put("watermark", watermark)
                    .set("topics", JSON.valueToTree(topics)));
        } catch (JsonProcessingException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }
}
