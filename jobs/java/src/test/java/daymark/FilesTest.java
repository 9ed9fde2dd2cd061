package daymark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.util.CheckpointedPosition;
import org.apache.flink.connector.file.src.util.RecordAndPosition;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Files in Kafka's place")
class FilesTest {
    @TempDir
    private Path folder;

    private record Seen(long offset, String text, long tick, long next) {}

    private List<Seen> read(String content, Long from) throws IOException {
        Path file = Files.writeString(folder.resolve("log.ndjson"), content);
        CheckpointedPosition position = from == null ? null : new CheckpointedPosition(from, 0);
        FileSourceSplit split = new FileSourceSplit("1", new org.apache.flink.core.fs.Path(file.toString()), 0,
                Files.size(file), 77, Files.size(file), new String[0], position);
        LogFile format = new LogFile("log.ndjson");
        Configuration none = new Configuration();
        List<Seen> seen = new ArrayList<>();
        try (BulkFormat.Reader<Record> reader = from == null ? format.createReader(none, split) : format.restoreReader(none, split)) {
            for (BulkFormat.RecordIterator<Record> batch; (batch = reader.readBatch()) != null; ) {
                for (RecordAndPosition<Record> one; (one = batch.next()) != null; ) {
                    Record record = one.getRecord();
                    assertEquals(77, record.timestamp);
                    seen.add(new Seen(record.offset, new String(record.value, StandardCharsets.UTF_8), record.tick, one.getOffset()));
                }
            }
        }
        return seen;
    }

    @Test
    void giveARecordALineAtItsOffsetAndEndTimeBehindTheLast() throws IOException {
        assertEquals(List.of(
                new Seen(0, "{\"a\":1}", Record.NOT_A_TICK, 8),
                new Seen(9, "{\"tick\": 5}", 5, 22),
                new Seen(22, "é", Record.NOT_A_TICK, 24),
                new Seen(24, "", Record.END, 24)), read("{\"a\":1}\n\n{\"tick\": 5}\r\né", null));
        assertEquals(List.of(new Seen(0, "", Record.END, 0)), read("", null));
    }

    @Test
    void keepLinesWholeThatAreLongerThanAChunkOrLieAcrossTwo() throws IOException {
        List<String> lines = IntStream.range(0, 40).mapToObj(i -> "x".repeat(i == 7 ? 1_700_000 : 70_000 + i)).toList();
        List<String> texts = read(String.join("\n", lines), null).stream().map(Seen::text).toList();
        assertEquals(lines, texts.subList(0, 40));
        assertEquals(41, texts.size());
    }

    @Test
    void goOnFromEveryPositionThatACheckpointMayHold() throws IOException {
        String content = "one\n\n{\"tick\": 5}\nthree\r\nfour\n";
        List<Seen> whole = read(content, null);
        for (int i = 0; i < whole.size() - 1; i++) {
            assertEquals(whole.subList(i + 1, whole.size()), read(content, whole.get(i).next));
        }
    }

    @Test
    void takeRowsOneALineAndAreWholeAtACheckpoint() throws Exception {
        Path out = folder.resolve("deep/out");
        try (RowFiles.Writer writer = new RowFiles.Writer(out, 3)) {
            writer.write(Element.of('T', "7", "{\"a\":1}\n{\"a\":2}"), null);
            writer.write(Element.of('F', "key", "{\"f\":1}"), null);
            writer.flush(false);
            assertEquals(List.of("{\"a\":1}", "{\"a\":2}"), Files.readAllLines(out.resolve("transitions-3.ndjson")));
            assertEquals(List.of("{\"f\":1}"), Files.readAllLines(out.resolve("findings-3.ndjson")));
        }
        try (RowFiles.Writer resumed = new RowFiles.Writer(out, 3)) {
            resumed.write(Element.of('F', "key", "{\"f\":2}"), null);
        }
        assertEquals(List.of("{\"f\":1}", "{\"f\":2}"), Files.readAllLines(out.resolve("findings-3.ndjson")));
    }
}
