import java.net.CookieManager;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** For each site: log in and ask who that was, once with each of the two clients of the JDK, each with its cookies. */
public class Client {
    public static void main(String[] sites) throws Exception {
        for (String site : sites) {
            CookieManager cookies = new CookieManager();
            CookieManager.setDefault(cookies);
            old(site + "/login");
            System.out.println(old(site + "/me"));
            CookieManager.setDefault(null);
            HttpClient client = HttpClient.newBuilder().cookieHandler(new CookieManager()).build();
            modern(client, site + "/login");
            System.out.println(modern(client, site + "/me"));
        }
    }

    static String old(String url) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
        return new String(connection.getInputStream().readAllBytes());
    }

    static String modern(HttpClient client, String url) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }
}
