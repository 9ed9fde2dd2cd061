package daymark;

import java.io.IOException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** What the batcher is told at submission, as JSON from jobs/detect.py. */
public class BatcherSettings implements Serializable {
    /** How many buckets the keys are spread over. Part of the state's identity: see jobs/detect.py. */
    public int buckets;

    /** A batch goes out when so many frames wait, over all buckets. */
    public int records;

    /** A batch goes out when so many bytes wait, over all buckets. */
    public int bytes;

    /** A frame waits no longer than so many milliseconds. */
    public long delay;

    /** A record with more bytes than this is not looked into. */
    public int largest;

    /** Every bucket is told of each so many milliseconds by which time has moved on; 0: never. */
    public long pulse;

    /** For each topic the mappings that may read its records, in the order in which they are tried. */
    public Map<String, List<Mapping>> topics = new HashMap<>();

    /**
     * A source mapping, by its index in the job's list, the paths of its correlation keys, and for each of these the
     * stages that follow links from it; none where no workflow has several keys.
     */
    public static class Mapping implements Serializable {
        public int mapping;
        public String[][] keys = {};
        public int[][] stages = {};
    }

    /** How many stages there are. */
    int stages() {
        return topics.values().stream().flatMap(List::stream).flatMap(one -> Arrays.stream(one.stages))
                .flatMapToInt(Arrays::stream).max().orElse(0);
    }

    /** @throws IllegalArgumentException if the text is not what this class says */
    public static BatcherSettings parse(String json) {
        BatcherSettings settings;
        try {
            settings = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                    .readValue(json, BatcherSettings.class);
        } catch (IOException fault) {
            throw new IllegalArgumentException("batcher settings: " + fault.getMessage(), fault);
        }
        settings.check();
        return settings;
    }

    private void check() {
        require(buckets >= 1, "buckets must be 1 or more");
        require(records >= 1, "records must be 1 or more");
        require(bytes >= 1, "bytes must be 1 or more");
        require(delay >= 1, "delay must be 1 ms or more");
        require(largest >= 1, "largest must be 1 byte or more");
        require(pulse >= 0, "pulse must be 0 ms or more");
        topics.forEach((topic, mappings) -> {
            require(!mappings.isEmpty(), "topic " + topic + " has no mapping");
            mappings.forEach(one -> {
                require(one.mapping >= 0 && one.mapping < Frames.PULSE, "topic " + topic + ": at most 254 mappings in a job");
                require(one.keys.length <= Forwarder.ROUTED, "topic " + topic + ": at most 253 keys in a mapping");
            });
        });
    }

    private static void require(boolean condition, String sentence) {
        if (!condition) {
            throw new IllegalArgumentException("batcher settings: " + sentence);
        }
    }
}
