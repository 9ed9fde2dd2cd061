package daymark;

import java.io.IOException;
import java.util.Arrays;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.util.MutableRecordAndPosition;
import org.apache.flink.connector.file.src.util.RecordAndPosition;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.Path;

/**
 * A log in a file: a record a line, ticks as lines of their own (see {@link Tick}); behind the last line time ends.
 *
 * <p>It is one partition, read in its order by one reader, whatever the job's parallelism: what belongs to one key
 * comes in the order in which it was written, and one clock is true. A record's offset is that of its first byte, its
 * timestamp the file's own.
 */
public class LogFile implements BulkFormat<Record, FileSourceSplit> {
    private static final int CHUNK = 1 << 19;

    private final String topic;

    LogFile(String topic) {
        this.topic = topic;
    }

    /** For jobs/detect.py: the file's records. {@code topic} is the name by which the batcher's settings know it. */
    public static FileSource<Record> source(String path, String topic) {
        return FileSource.forBulkFileFormat(new LogFile(topic), new Path(path)).build();
    }

    @Override
    public Lines createReader(Configuration config, FileSourceSplit split) throws IOException {
        return new Lines(split, split.offset());
    }

    @Override
    public Lines restoreReader(Configuration config, FileSourceSplit split) throws IOException {
        return new Lines(split, split.getReaderPosition().orElseThrow().getOffset());
    }

    @Override
    public boolean isSplittable() {
        return false;
    }

    @Override
    public TypeInformation<Record> getProducedType() {
        return Types.POJO(Record.class);
    }

    /** Reads whole lines, a chunk at a time. Flink calls it from a thread of its own, ahead of the task. */
    private class Lines implements Reader<Record> {
        private final FSDataInputStream file;
        private final long timestamp;
        private long offset;
        private byte[] rest = {};
        private boolean ended;

        Lines(FileSourceSplit split, long offset) throws IOException {
            this.file = split.path().getFileSystem().open(split.path());
            this.timestamp = split.fileModificationTime();
            this.offset = offset;
            file.seek(offset);
        }

        /** The next chunk, which begins with the line that the last one broke off; null at the end. */
        @Override
        public Chunk readBatch() throws IOException {
            if (ended) {
                return null;
            }
            byte[] bytes = Arrays.copyOf(rest, rest.length + CHUNK);
            int filled = rest.length + file.readNBytes(bytes, rest.length, CHUNK);
            ended = filled < bytes.length;
            int end = ended ? filled : behindLastLine(bytes, filled);
            rest = Arrays.copyOfRange(bytes, end, filled);
            Chunk chunk = new Chunk(bytes, end, offset, timestamp, ended);
            offset += end;
            return chunk;
        }

        private int behindLastLine(byte[] bytes, int filled) {
            int end = filled;
            while (end > 0 && bytes[end - 1] != '\n') {
                end--;
            }
            return end;
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    /** Some lines, each made a record when the task asks for it; behind the last one of the file the tick that ends time. */
    private class Chunk implements RecordIterator<Record> {
        private final MutableRecordAndPosition<Record> next = new MutableRecordAndPosition<>();
        private final byte[] bytes;
        private final int end;
        private final long start;
        private final long timestamp;
        private boolean isLast;
        private int at;

        Chunk(byte[] bytes, int end, long start, long timestamp, boolean isLast) {
            this.bytes = bytes;
            this.end = end;
            this.start = start;
            this.timestamp = timestamp;
            this.isLast = isLast;
        }

        @Override
        public RecordAndPosition<Record> next() {
            while (at < end) {
                int begin = at;
                int line = begin;
                while (line < end && bytes[line] != '\n') {
                    line++;
                }
                at = Math.min(line + 1, end);
                if (line > begin && bytes[line - 1] == '\r') {
                    line--;
                }
                if (line > begin) {
                    return record(begin, Arrays.copyOfRange(bytes, begin, line), Tick.ofLine(bytes, begin, line));
                }
            }
            if (!isLast) {
                return null;
            }
            isLast = false;
            return record(end, new byte[0], Record.END);
        }

        /** With the position behind it, where a reader goes on that is restored from a checkpoint. */
        private RecordAndPosition<Record> record(int begin, byte[] value, long tick) {
            next.set(new Record(topic, 0, start + begin, timestamp, value, tick), start + at, 0);
            return next;
        }

        @Override
        public void releaseBatch() {}
    }
}
