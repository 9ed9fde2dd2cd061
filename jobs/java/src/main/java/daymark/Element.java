package daymark;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** One output of the job: a tag, a Kafka key and a value in one byte array (layout: docs/contracts.md). */
final class Element {
    static final char PROGRESS = 'P';

    private Element() {}

    static byte[] of(char tag, String key, String value) {
        byte[] keyBytes = key.getBytes(StandardCharsets.UTF_8);
        byte[] valueBytes = value.getBytes(StandardCharsets.UTF_8);
        return join((byte) tag, keyBytes, valueBytes, 0, valueBytes.length);
    }

    static byte[] join(byte tag, byte[] key, byte[] from, int begin, int end) {
        return ByteBuffer.allocate(3 + key.length + end - begin)
                .put(tag)
                .putShort((short) key.length)
                .put(key)
                .put(from, begin, end - begin)
                .array();
    }

    static char tag(byte[] element) {
        return (char) element[0];
    }

    static byte[] key(byte[] element) {
        return Arrays.copyOfRange(element, 3, valueAt(element));
    }

    /** Where the value begins. */
    static int valueAt(byte[] element) {
        return 3 + (((element[1] & 0xff) << 8) | (element[2] & 0xff));
    }

    static byte[] value(byte[] element) {
        return Arrays.copyOfRange(element, valueAt(element), element.length);
    }
}
