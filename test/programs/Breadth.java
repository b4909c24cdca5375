// What ordinary Java programs ask of the kernel.
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.channels.Selector;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

public class Breadth {
  public static void main(String[] arguments) throws Exception {
    var pool = Executors.newFixedThreadPool(4);
    var count = new AtomicInteger();
    for (int i = 0; i < 100; i++) pool.submit(count::incrementAndGet);
    pool.shutdown();
    pool.awaitTermination(10, TimeUnit.SECONDS);
    System.out.println("pool " + count + " " + CompletableFuture.supplyAsync(() -> 7).get());
    System.out.println("stream " + IntStream.range(0, 100000).parallel().asLongStream().sum());

    Path folder = Files.createTempDirectory(Path.of("tmp"), "java");
    Path one = Files.writeString(folder.resolve("one"), "text");
    Files.copy(one, folder.resolve("two"), StandardCopyOption.COPY_ATTRIBUTES);
    Files.move(one, folder.resolve("three"), StandardCopyOption.ATOMIC_MOVE);
    try (var channel = FileChannel.open(folder.resolve("two"), StandardOpenOption.READ, StandardOpenOption.WRITE);
        var lock = channel.lock()) {
      var mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, 8192);
      mapped.put(0, (byte) 'T');
      mapped.force();
      channel.force(true);
      System.out.println("files " + (char) mapped.get(0) + channel.size() + lock.isValid());
    }

    Pipe pipe = Pipe.open();
    pipe.source().configureBlocking(false);
    try (var selector = Selector.open()) {
      pipe.source().register(selector, SelectionKey.OP_READ);
      pipe.sink().write(ByteBuffer.wrap("x".getBytes()));
      System.out.println("selected " + selector.select(5000));
    }
    var address = UnixDomainSocketAddress.of(folder.resolve("socket"));
    try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(address);
      try (var client = SocketChannel.open(address); var accepted = server.accept()) {
        client.write(ByteBuffer.wrap("over a socket".getBytes()));
        System.out.println("read " + accepted.read(ByteBuffer.allocate(100)));
      }
    }

    List<byte[]> garbage = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      garbage.add(new byte[200000]);
      if (i % 50 == 0) garbage.clear();
    }
    System.gc();
    var direct = ByteBuffer.allocateDirect(1 << 20);
    System.out.println("memory " + direct.capacity());
    var digest = MessageDigest.getInstance("SHA-256").digest(new byte[100000]);
    System.out.println("digest " + digest.length + " " + new SecureRandom().nextInt(1));
    var thread = new Thread(() -> { try { Thread.sleep(1); } catch (InterruptedException e) { } }, "named");
    thread.start();
    thread.join();
    System.out.println("processors " + (Runtime.getRuntime().availableProcessors() > 0));
  }
}
