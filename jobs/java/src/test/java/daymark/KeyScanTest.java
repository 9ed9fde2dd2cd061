package daymark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("The key scan")
class KeyScanTest {
    /** The hash of each text, null for what is absent. */
    private static Integer[] scan(String json, String[]... paths) {
        return scan(json.getBytes(StandardCharsets.UTF_8), paths);
    }

    private static Integer[] scan(byte[] json, String[]... paths) {
        KeyScan scan = new KeyScan(paths);
        boolean any = scan.scan(json);
        Integer[] found = IntStream.range(0, paths.length).mapToObj(i -> scan.has(i) ? scan.hash(i) : null).toArray(Integer[]::new);
        assertEquals(Arrays.stream(found).anyMatch(Objects::nonNull), any);
        return found;
    }

    private static Integer[] hashes(String... texts) {
        return Arrays.stream(texts).map(text -> text == null ? null : text.hashCode()).toArray(Integer[]::new);
    }

    private static String[] path(String... steps) {
        return steps;
    }

    @Test
    void findsSeveralKeysInOnePass() {
        String record = "{\"id\":1,\"data\":{\"other\":[1,{\"trade\":9}],\"trade\":\"T1\",\"legs\":[{\"no\":7},{\"no\":8}]}}";
        Integer[] found = scan(record, path("data", "trade"), path("data", "legs", "[1]", "no"), path("gone"), path("id"));
        assertArrayEquals(hashes("T1", "8", null, "1"), found);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"as is \" | 'as is '", "12 | 12", "-0 | 0", "123456789012345678901234567890 | 123456789012345678901234567890",
        "\"\\u00e9\" | é", "\"é\" | é", "-70 | -70", "\"\" | ''"
    })
    void takesStringsAsTheyAreAndIntegersAsDecimalText(String value, String text) {
        assertArrayEquals(hashes(text), scan("{\"k\":" + value + "}", path("k")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.0", "1e3", "true", "null", "[]", "{}", "[\"x\"]", "{\"k\":1}"})
    void takesAnythingElseForAbsent(String value) {
        assertArrayEquals(hashes((String) null), scan("{\"k\":" + value + "}", path("k")));
    }

    @Test
    void believesTheLastOfTwoFieldsWithOneName() {
        assertArrayEquals(hashes("b"), scan("{\"k\":\"a\",\"k\":\"b\"}", path("k")));
        assertArrayEquals(hashes((String) null), scan("{\"d\":{\"k\":\"a\"},\"d\":{\"x\":1}}", path("d", "k")));
        assertArrayEquals(hashes((String) null), scan("{\"k\":\"a\",\"k\":null}", path("k")));
    }

    @Test
    void doesNotTakeAFieldNamedLikeAPositionForAListElement() {
        assertArrayEquals(hashes((String) null), scan("{\"l\":{\"0\":\"x\"}}", path("l", "[0]")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"\\u006b\":\"a\\\"é\\\\\"}", " {\n\"x\\\"k\":\"}\", \"k\" : \"a\\\"\\u00e9\\\\\" } "})
    void readsEscapesWhereverTheyStand(String record) {
        assertArrayEquals(hashes("a\"é\\"), scan(record, path("k")));
    }

    @Test
    void stepsOverWhatLooksLikeAKeyInsideOtherValues() {
        String record = "{\"text\":\"\\\"k\\\":\\\"no\\\"\",\"list\":[{\"k\":\"no\"},\"]\",[]],\"sub\":{\"k\":\"no\"},\"n\":-1.5e3,\"k\":\"yes\"}";
        assertArrayEquals(hashes("yes"), scan(record, path("k")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "   ", "nonsense", "[1]", "\"k\"", "7", "{", "{\"", "{\"k\"", "{\"k\":", "{\"k\":\"a\"", "{\"k\":1", "{\"k\":\"\\", "{\"x\":[1,", "\0"})
    void findsNothingInWhatIsNoObjectOrIsCutOff(String text) {
        assertArrayEquals(hashes((String) null), scan(text, path("k")));
    }

    @Test
    @Timeout(20)
    void comesToAnEndWhateverTheBytesAre() {
        Random random = new Random(7);
        byte[] marks = "{}[]\",:\\k1-0 \n".getBytes(StandardCharsets.UTF_8);
        for (int n = 0; n < 100_000; n++) {
            byte[] record = new byte[1 + random.nextInt(30)];
            for (int i = 0; i < record.length; i++) {
                record[i] = i == 0 ? (byte) '{' : random.nextInt(20) == 0 ? (byte) random.nextInt(256) : marks[random.nextInt(marks.length)];
            }
            scan(record, path("k"), path("k", "[1]", "k"));
        }
    }

    @Test
    void survivesDeepNestingAndInvalidBytes() {
        assertArrayEquals(hashes((String) null), scan("{\"x\":" + "[".repeat(1_000_000), path("k")));
        byte[] invalid = {'{', '"', 'k', '"', ':', '"', (byte) 0xff, '"', '}'};
        assertArrayEquals(hashes((String) null), scan(invalid, path("k")));
    }
}
