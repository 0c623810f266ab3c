using System.Net;
using System.Net.Http.Headers;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Polyglot;

/// <summary>`--test-clock` is for tests, and where it is not asked for there is nothing of it.</summary>
public sealed class TestClockTests(DevServer server) : IClassFixture<DevServer>, IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_server_in_earnest_refuses_to_start_with_it()
    {
        var ended = await ServerProgram.RunAsync("serve", "--test-clock", "--data", _folder["data"], "--listen", "http://127.0.0.1:0", "--web", "http://127.0.0.1:0");

        Start.RefusedWith(ended, ["--test-clock", "--dev"]);
        Assert.False(Directory.Exists(_folder["data"]));
    }

    [Fact]
    public async Task A_folder_that_has_accounts_is_not_moved_through_time()
    {
        await ServerProgram.CreateKeyAsync(_folder["data"], "shop", "verify");

        var ended = await ServerProgram.RunAsync("serve", "--dev", "--test-clock", "--data", _folder["data"], "--listen", "http://127.0.0.1:0", "--web", "http://127.0.0.1:0");

        Start.RefusedWith(ended, ["--test-clock", _folder["data/mfa.db"], "--data"]);
    }

    [Theory]
    [InlineData("GET", "clock")]
    [InlineData("POST", "clock?advance=60")]
    [InlineData("GET", "messages?to=jane@example.org")]
    public async Task Without_it_even_a_development_server_has_no_such_page(string method, string page)
    {
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(server.Process, method, page, server.Process.DevKey));
    }

    [Fact]
    public async Task With_it_the_clock_moves_when_it_is_told_to_by_a_key_of_an_administrator()
    {
        await using var tested = await ServerProcess.StartWithTestClockAsync();
        var verifier = await ServerProgram.CreateKeyAsync(tested.Data, "shop", "verify,enroll,disable");
        var begun = (await tested.Dev.EnableAsync("jane")).ExpireTime;

        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(tested, "POST", "clock?advance=60", verifier));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(tested, "GET", "messages?to=jane@example.org", verifier));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(tested, "GET", "clock", "wrong"));
        Assert.Equal(HttpStatusCode.BadRequest, await AskAsync(tested, "POST", "clock?advance=-60", tested.DevKey));
        Assert.Equal(begun, (await tested.Dev.EnableAsync("jane")).ExpireTime);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(tested, "POST", "clock?advance=60", tested.DevKey));
        Assert.Equal(begun.ToDateTime().AddSeconds(60), (await tested.Dev.EnableAsync("jane")).ExpireTime.ToDateTime());
    }

    private static async Task<HttpStatusCode> AskAsync(ServerProcess server, string method, string page, string key)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(server.Web, $"/test/{page}"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var reply = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return reply.StatusCode;
    }
}
