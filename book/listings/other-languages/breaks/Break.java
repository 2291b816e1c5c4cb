import java.io.IOException;
import java.nio.file.*;
import java.util.concurrent.SynchronousQueue;

class Break {
    static final ThreadLocal<String> mine = new ThreadLocal<>();

    static int dive(int depth) {
        return depth == 0 ? 0 : 1 + dive(depth - 1);
    }

    static void tryIt(int depth) {
        try {
            System.out.println("came back from " + dive(depth));
        } catch (StackOverflowError error) {
            System.out.println("caught: " + error);
        }
    }

    static void keep(String name) {
        mine.set(name);
        Thread.yield();
        System.out.println(name + " finds " + mine.get());
    }

    static int resident() throws IOException {
        var status = Files.readString(Path.of("/proc/self/status"));
        return Integer.parseInt(status.split("VmRSS:")[1].trim().split(" ")[0]);
    }

    static void idle() {
        try {
            Thread.sleep(10_000);
        } catch (InterruptedException error) {
        }
    }

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "deep" -> Thread.startVirtualThread(() -> tryIt(1_000_000)).join();
            case "endless" -> Thread.startVirtualThread(() -> tryIt(-1)).join();
            case "busy" -> {
                Thread.startVirtualThread(() -> { while (true) { } });
                Thread.startVirtualThread(() -> System.out.println("another had its turn")).join();
            }
            case "fail" -> {
                var failed = Thread.startVirtualThread(() -> { throw new RuntimeException("bad news"); });
                failed.join();
                System.out.println("another goes on, and has heard nothing from join");
            }
            case "lonely" -> new SynchronousQueue<String>().take();
            case "will" -> {
                Thread.startVirtualThread(() -> {
                    try {
                        Thread.sleep(1_000_000);
                    } catch (InterruptedException error) {
                    } finally {
                        System.out.println("the will is read");
                    }
                });
                Thread.sleep(100);
                System.out.println("the end");
            }
            case "mine" -> {
                var one = Thread.startVirtualThread(() -> keep("one"));
                var two = Thread.startVirtualThread(() -> keep("two"));
                one.join();
                two.join();
            }
            case "idle" -> {
                var before = resident();
                for (var i = 0; i < 10_000; i++) {
                    Thread.startVirtualThread(Break::idle);
                }
                Thread.sleep(1_000);
                System.out.printf("%.1f KiB each%n", (resident() - before) / 10_000.0);
            }
        }
    }
}
