package daymark;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/**
 * Writes rows into a folder instead of Kafka, one a line: a file for each topic and task, such as {@code findings-0.ndjson}.
 *
 * <p>Files are complete at each checkpoint and at the end. They are appended to, at least once as in Kafka: a job that
 * resumes writes again what it wrote since its checkpoint.
 */
public class RowFiles implements Sink<byte[]> {
    private static final int BUFFER = 1 << 16;

    private final String folder;

    /** For jobs/detect.py. @param folder on a disk that all TaskManagers see */
    public RowFiles(String folder) {
        this.folder = folder;
    }

    @Override
    public SinkWriter<byte[]> createWriter(WriterInitContext context) throws IOException {
        return new Writer(Path.of(folder), context.getTaskInfo().getIndexOfThisSubtask());
    }

    static class Writer implements SinkWriter<byte[]> {
        private final OutputStream[] files = new OutputStream[128]; // by tag

        Writer(Path folder, int task) throws IOException {
            Files.createDirectories(folder);
            for (char tag : Router.TAGS.toCharArray()) {
                Path file = folder.resolve(Router.name(tag) + "-" + task + ".ndjson");
                OutputStream stream = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                files[tag] = new BufferedOutputStream(stream, BUFFER);
            }
        }

        @Override
        public void write(byte[] element, Context context) throws IOException {
            OutputStream file = files[Element.tag(element)];
            int begin = Element.valueAt(element);
            file.write(element, begin, element.length - begin);
            file.write('\n');
        }

        @Override
        public void flush(boolean endOfInput) throws IOException {
            for (char tag : Router.TAGS.toCharArray()) {
                files[tag].flush();
            }
        }

        @Override
        public void close() throws IOException {
            for (char tag : Router.TAGS.toCharArray()) {
                files[tag].close();
            }
        }
    }
}
