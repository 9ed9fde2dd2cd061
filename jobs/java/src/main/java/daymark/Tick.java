package daymark;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** How a tick is written (docs/contracts.md): in Kafka as a header, in a file as a line of its own. */
final class Tick {
    private static final byte[] END = "end".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] QUOTED_END = "\"end\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] LINE = "{\"tick\":".getBytes(StandardCharsets.US_ASCII);

    private Tick() {}

    /** Reads {@code end} or epoch milliseconds in ASCII digits; anything else is not a tick. */
    static long of(byte[] header) {
        return header == null ? Record.NOT_A_TICK : instant(header, 0, header.length, END);
    }

    /** Reads a line that is a tick's value and nothing else: {@code {"tick": 1700000000000}} or {@code {"tick": "end"}}. */
    static long ofLine(byte[] text, int begin, int end) {
        int from = begin + LINE.length;
        if (end - from < 2 || text[end - 1] != '}' || !Arrays.equals(text, begin, from, LINE, 0, LINE.length)) {
            return Record.NOT_A_TICK;
        }
        return instant(text, text[from] == ' ' ? from + 1 : from, end - 1, QUOTED_END);
    }

    private static long instant(byte[] text, int begin, int end, byte[] endOfTime) {
        if (Arrays.equals(text, begin, end, endOfTime, 0, endOfTime.length)) {
            return Record.END;
        }
        if (begin == end || end - begin > 18) {
            return Record.NOT_A_TICK;
        }
        long millis = 0;
        for (int i = begin; i < end; i++) {
            if (text[i] < '0' || text[i] > '9') {
                return Record.NOT_A_TICK;
            }
            millis = millis * 10 + (text[i] - '0');
        }
        return millis;
    }
}
