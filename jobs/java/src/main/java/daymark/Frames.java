package daymark;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** A run of frames that grows (layout: docs/contracts.md). Big-endian, without padding. */
class Frames {
    static final int HEADER = 1 + 1 + 4 + 8 + 8 + 4;
    static final int NO_KEY = 255;

    /** The mapping of a frame that is no record, but a {@link Pulse}. */
    static final int PULSE = 254;

    /** What a buffer may keep between two batches; a rare big batch does not hold its memory for ever. */
    private static final int KEPT = 1 << 18;

    private ByteBuffer buffer = ByteBuffer.allocate(4096);

    void add(int mapping, int key, Record record) {
        reserve(HEADER + record.value.length);
        buffer.put((byte) mapping)
                .put((byte) key)
                .putInt(record.partition)
                .putLong(record.offset)
                .putLong(record.timestamp)
                .putInt(record.value.length)
                .put(record.value);
    }

    /** A frame, or a run of them, that has its layout already. */
    void add(byte[] from, int begin, int end) {
        reserve(end - begin);
        buffer.put(from, begin, end - begin);
    }

    private void reserve(int more) {
        if (buffer.remaining() < more) {
            int needed = Math.addExact(buffer.position(), more);
            int doubled = (int) Math.min(Integer.MAX_VALUE - 16, 2L * buffer.capacity());
            buffer = ByteBuffer.allocate(Math.max(needed, doubled)).put(buffer.flip());
        }
    }

    boolean isEmpty() {
        return buffer.position() == 0;
    }

    /** Hands out what was added, and begins anew. */
    byte[] take() {
        byte[] batch = Arrays.copyOf(buffer.array(), buffer.position());
        buffer = buffer.capacity() > KEPT ? ByteBuffer.allocate(4096) : buffer.clear();
        return batch;
    }
}
