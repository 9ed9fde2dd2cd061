package daymark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;

/**
 * Finds some fields in a JSON object and hashes their text, in one pass over the bytes and without making objects.
 *
 * <p>A field is named by its path; a step into a list is written {@code [0]}. Strings count as they are and integers
 * as their decimal text, as in the source mappings; a field that holds anything else counts as absent. Of two fields
 * with one name the last one holds, as in Python, so a record is always read to its end. The hash is that of Java's
 * {@code String}, whichever way the text is written in JSON.
 *
 * <p>What it says of a JSON object is exact. Of anything else it may say anything, but says it: Python will refuse the
 * record. Not for several threads.
 */
class KeyScan {
    private static final JsonFactory JSON = new JsonFactory();

    private final Node root = new Node();
    private final int[] hashes;
    private final boolean[] found;

    private byte[] json;
    private int at;

    KeyScan(String[][] paths) {
        hashes = new int[paths.length];
        found = new boolean[paths.length];
        for (int slot = 0; slot < paths.length; slot++) {
            Node node = root;
            for (String step : paths[slot]) {
                node = node.step(step);
            }
            node.slots.add(slot);
        }
    }

    /** A step of one or more paths; slots are the paths that end here. */
    private static class Node {
        final List<Integer> slots = new ArrayList<>();
        final List<byte[]> names = new ArrayList<>();
        final List<Node> children = new ArrayList<>();

        Node step(String name) {
            Node child = child(name);
            if (child == null) {
                child = new Node();
                names.add(name.getBytes(StandardCharsets.UTF_8));
                children.add(child);
            }
            return child;
        }

        Node child(String name) {
            byte[] text = name.getBytes(StandardCharsets.UTF_8);
            return child(text, 0, text.length);
        }

        Node child(byte[] text, int begin, int end) {
            for (int i = 0; i < names.size(); i++) {
                byte[] name = names.get(i);
                if (Arrays.equals(text, begin, end, name, 0, name.length)) {
                    return children.get(i);
                }
            }
            return null;
        }
    }

    /** @return whether any field was found; {@link #has} and {@link #hash} then tell which, until the next scan */
    boolean scan(byte[] record) {
        json = record;
        at = 0;
        forget(root);
        try {
            if (next() == '{') {
                object(root);
            }
        } catch (ArrayIndexOutOfBoundsException cutOff) {
            forget(root);
        }
        for (boolean one : found) {
            if (one) {
                return true;
            }
        }
        return false;
    }

    boolean has(int slot) {
        return found[slot];
    }

    int hash(int slot) {
        return hashes[slot];
    }

    private void forget(Node node) {
        for (int slot : node.slots) {
            found[slot] = false;
        }
        for (Node child : node.children) {
            forget(child);
        }
    }

    private void set(Node node, int hash) {
        for (int slot : node.slots) {
            hashes[slot] = hash;
            found[slot] = true;
        }
    }

    /** Recursion goes as deep as the paths do, never as deep as the data. */
    private void object(Node node) {
        at++;
        for (byte mark = next(); mark != '}'; mark = next()) {
            if (mark == '"') {
                Node child = field(node);
                next();
                value(child);
            } else {
                at++; // the comma
            }
        }
        at++;
    }

    /** From a field's name to behind its colon. */
    private Node field(Node node) {
        int begin = at + 1;
        boolean plain = string();
        int end = at - 1;
        while (json[at++] != ':') { }
        if (plain) {
            return node.child(json, begin, end);
        }
        String text = text(begin - 1, end + 1);
        return text == null ? null : node.child(text);
    }

    private void list(Node node) {
        at++;
        int position = 0;
        for (byte mark = next(); mark != ']'; mark = next()) {
            if (mark == ',') {
                at++;
            } else {
                value(node.child("[" + position++ + "]"));
            }
        }
        at++;
    }

    private void value(Node node) {
        byte mark = json[at];
        if (node == null) {
            skip(mark);
            return;
        }
        forget(node);
        int begin = at;
        switch (mark) {
            case '{' -> object(node);
            case '[' -> list(node);
            case '"' -> hashString(node, begin, string());
            default -> {
                literal();
                hashInteger(node, begin);
            }
        }
    }

    private void hashString(Node node, int begin, boolean plain) {
        int hash = 0;
        for (int i = begin + 1; i < at - 1 && plain; i++) {
            plain = json[i] >= 0;
            hash = 31 * hash + json[i];
        }
        String text = plain ? "" : text(begin, at);
        if (text != null) {
            set(node, plain ? hash : text.hashCode());
        }
    }

    private void hashInteger(Node node, int begin) {
        int first = json[begin] == '-' ? begin + 1 : begin;
        int hash = first > begin && json[first] != '0' ? '-' : 0; // -0 is 0
        for (int i = first; i < at; i++) {
            if (json[i] < '0' || json[i] > '9') {
                return;
            }
            hash = 31 * hash + json[i];
        }
        set(node, hash);
    }

    private void skip(byte mark) {
        if (mark == '"') {
            string();
        } else if (mark == '{' || mark == '[') {
            nested();
        } else {
            literal();
        }
    }

    /** To behind the end of an object or a list, however deep. */
    private void nested() {
        int depth = 0;
        do {
            switch (json[at]) {
                case '"' -> string();
                case '{', '[' -> {
                    depth++;
                    at++;
                }
                case '}', ']' -> {
                    depth--;
                    at++;
                }
                default -> at++;
            }
        } while (depth > 0);
    }

    /** To behind a string. Returns whether it is free of escapes. */
    private boolean string() {
        boolean plain = true;
        int i = at + 1;
        for (byte one = json[i]; one != '"'; one = json[++i]) {
            if (one == '\\') {
                plain = false;
                i++;
            }
        }
        at = i + 1;
        return plain;
    }

    /** To behind a number, a truth value or null; always on by one byte, so that garbage comes to an end. */
    private void literal() {
        at++;
        for (byte one = json[at]; one != ',' && one != '}' && one != ']' && one > ' '; one = json[at]) {
            at++;
        }
    }

    /** To the next byte that is not blank, and that byte. */
    private byte next() {
        while (json[at] <= ' ' && json[at] >= 0) {
            at++;
        }
        return json[at];
    }

    /** A string's text as JSON reads it; null if it can't be read. */
    private String text(int begin, int end) {
        try (JsonParser parser = JSON.createParser(json, begin, end - begin)) {
            parser.nextToken();
            return parser.getText();
        } catch (IOException unreadable) {
            return null;
        }
    }
}
