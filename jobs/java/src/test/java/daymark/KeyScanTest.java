package daymark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("The key scan")
class KeyScanTest {
    private static String[] scan(String json, String[]... paths) {
        return new KeyScan(paths).scan(json.getBytes(StandardCharsets.UTF_8));
    }

    private static String[] path(String... steps) {
        return steps;
    }

    @Test
    void findsSeveralKeysInOnePass() {
        String record = "{\"id\":1,\"data\":{\"other\":[1,{\"trade\":9}],\"trade\":\"T1\",\"legs\":[{\"no\":7},{\"no\":8}]}}";
        String[] found = scan(record, path("data", "trade"), path("data", "legs", "[1]", "no"), path("gone"), path("id"));
        assertArrayEquals(new String[] {"T1", "8", null, "1"}, found);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"as is \" | 'as is '", "12 | 12", "-0 | 0", "123456789012345678901234567890 | 123456789012345678901234567890",
        "\"\\u00e9\" | é", "\"\" | ''"
    })
    void takesStringsAsTheyAreAndIntegersAsDecimalText(String value, String text) {
        assertArrayEquals(new String[] {text}, scan("{\"k\":" + value + "}", path("k")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.0", "1e3", "true", "null", "[]", "{}", "[\"x\"]", "{\"k\":1}"})
    void takesAnythingElseForAbsent(String value) {
        assertArrayEquals(new String[] {null}, scan("{\"k\":" + value + "}", path("k")));
    }

    @Test
    void believesTheLastOfTwoFieldsWithOneName() {
        assertArrayEquals(new String[] {"b"}, scan("{\"k\":\"a\",\"k\":\"b\"}", path("k")));
        assertArrayEquals(new String[] {null}, scan("{\"d\":{\"k\":\"a\"},\"d\":{\"x\":1}}", path("d", "k")));
        assertArrayEquals(new String[] {null}, scan("{\"k\":\"a\",\"k\":null}", path("k")));
    }

    @Test
    void doesNotTakeAFieldNamedLikeAPositionForAListElement() {
        assertArrayEquals(new String[] {null}, scan("{\"l\":{\"0\":\"x\"}}", path("l", "[0]")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "   ", "nonsense", "[1]", "\"k\"", "7", "{\"k\":\"a\"", "{\"k\":\"a\"} more", "{\"k\":\"a\"}{}"})
    void saysThatItCannotReadWhatIsNotOneJsonObject(String text) {
        assertNull(scan(text, path("k")));
    }

    @Test
    void survivesDeepNestingAndInvalidBytes() {
        assertNull(scan("{\"x\":" + "[".repeat(1_000_000), path("k")));
        assertNull(new KeyScan(new String[][] {{"k"}}).scan(new byte[] {'{', '"', 'k', '"', ':', '"', (byte) 0xff, '"', '}'}));
    }
}
