import java.io.*;
import java.net.*;

class Delay {
    public static void main(String[] arguments) throws IOException {
        var port = Integer.parseInt(arguments[0]);
        var listener = new ServerSocket(port, 1024, InetAddress.getLoopbackAddress());
        while (true) {
            var conversation = listener.accept();
            Thread.startVirtualThread(() -> talk(conversation));
        }
    }

    static void talk(Socket conversation) {
        try (conversation) {
            var input = new InputStreamReader(conversation.getInputStream());
            var ms = Integer.parseInt(new BufferedReader(input).readLine());
            Thread.sleep(ms);
            var answer = "done after " + ms + " ms\n";
            conversation.getOutputStream().write(answer.getBytes());
        } catch (IOException | InterruptedException error) {
            System.err.println(error);
        }
    }
}
