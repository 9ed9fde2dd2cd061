package daymark;

import java.util.function.Consumer;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.typeutils.RowTypeInfo;
import org.apache.flink.types.Row;
import org.apache.flink.util.OutputTag;

/** A batch that grows for each bucket, on the way to one operator. */
class Buckets {
    static final TypeInformation<Row> TYPE = new RowTypeInfo(
            new TypeInformation<?>[] {Types.INT, Types.PRIMITIVE_ARRAY(Types.BYTE)}, new String[] {"bucket", "batch"});

    private final int[] numbers;
    private final Frames[] frames;

    /** @param numbers the buckets' numbers, see {@link Batcher#numbers} */
    Buckets(int[] numbers) {
        this.numbers = numbers;
        frames = new Frames[numbers.length];
        for (int i = 0; i < frames.length; i++) {
            frames[i] = new Frames();
        }
    }

    /** The batches for the stage that follows links from the key with this index in the workflows' lists. */
    static OutputTag<Row> stage(int key) {
        return new OutputTag<>("stage-" + key, TYPE);
    }

    /** Where the frames of a key go whose text has this hash. */
    Frames of(int hash) {
        return frames[Batcher.bucketOf(hash, frames.length)];
    }

    /** Hands out all that waits, as rows (bucket, batch). */
    void flush(Consumer<Row> out) {
        for (int i = 0; i < frames.length; i++) {
            if (!frames[i].isEmpty()) {
                out.accept(Row.of(numbers[i], frames[i].take()));
            }
        }
    }
}
