package daymark;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;

/**
 * Finds the text of some fields in a JSON object without building the object.
 *
 * <p>A field is named by its path; a step into a list is written {@code [0]}. Strings count as they are and integers
 * as their decimal text, as in the source mappings; a field that holds anything else counts as absent. Of two fields
 * with one name the last one holds, as in Python.
 */
class KeyScan {
    private static final JsonFactory JSON =
            JsonFactory.builder().disable(JsonFactory.Feature.INTERN_FIELD_NAMES).build();

    private final Node root = new Node();
    private final int size;

    KeyScan(String[][] paths) {
        size = paths.length;
        for (int slot = 0; slot < size; slot++) {
            Node node = root;
            for (String step : paths[slot]) {
                node = node.children.computeIfAbsent(step, name -> new Node());
            }
            node.slots = Arrays.copyOf(node.slots, node.slots.length + 1);
            node.slots[node.slots.length - 1] = slot;
        }
    }

    /** A step of one or more paths; slots are the paths that end here. */
    private static class Node {
        final Map<String, Node> children = new HashMap<>();
        int[] slots = {};

        void set(String[] found, String text) {
            for (int slot : slots) {
                found[slot] = text;
            }
        }

        void forget(String[] found) {
            set(found, null);
            children.values().forEach(child -> child.forget(found));
        }
    }

    /** @return the text at each path, null where there is none; null for what is not a JSON object */
    String[] scan(byte[] json) {
        String[] found = new String[size];
        try (JsonParser parser = JSON.createParser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            object(parser, root, found);
            return parser.nextToken() == null ? found : null;
        } catch (IOException unreadable) {
            return null;
        }
    }

    private void object(JsonParser parser, Node node, String[] found) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            Node child = node.children.get(parser.currentName());
            parser.nextToken();
            value(parser, child, found);
        }
    }

    private void list(JsonParser parser, Node node, String[] found) throws IOException {
        for (int position = 0; parser.nextToken() != JsonToken.END_ARRAY; position++) {
            value(parser, node.children.get("[" + position + "]"), found);
        }
    }

    /** Recursion goes as deep as the paths do, never as deep as the data. */
    private void value(JsonParser parser, Node node, String[] found) throws IOException {
        if (node == null) {
            parser.skipChildren();
            return;
        }
        node.forget(found);
        switch (parser.currentToken()) {
            case START_OBJECT -> object(parser, node, found);
            case START_ARRAY -> list(parser, node, found);
            case VALUE_STRING -> node.set(found, parser.getText());
            case VALUE_NUMBER_INT -> node.set(found, decimal(parser.getText()));
            default -> { }
        }
    }

    private static String decimal(String text) {
        return text.equals("-0") ? "0" : text;
    }
}
