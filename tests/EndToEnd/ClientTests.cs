using System.Text.Json;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd;

/// <summary>Messages may follow each other at once: what limits them is tested elsewhere.</summary>
public sealed class ServerWithoutGap() : DevServer(["sends:gapSeconds=0"]);

/// <summary>The console client against the server, both as the programs that are shipped.</summary>
public sealed class ClientTests(ServerWithoutGap server) : IClassFixture<ServerWithoutGap>, IAsyncDisposable
{
    private const string Password = "correct: horse battery staple ä";

    private static readonly string[] Mailed = ["message : Confirmation email sent.", "type : info"];
    private static readonly string[] Off = ["message : TOTP has been disabled", "type : info"];

    private ServerProcess Server => server.Process;

    /// <summary>The caller that may do everything, with its key from a file.</summary>
    private Dictionary<string, string> Service => new(StringComparer.Ordinal)
    {
        ["MFA_ENDPOINT"] = Server.Grpc.GetLeftPart(UriPartial.Authority),
    };

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Server.Dev));

    [Fact]
    public async Task A_script_enrols_an_app_and_every_verb_knows_of_it()
    {
        var account = Owner.NewAccount();
        using var mk = ClientProgram.Start(Service, $"{By(account)} mk AUTHENTICATOR");
        await mk.AnswerAsync("n"); // no picture
        await mk.AnswerAsync("y"); // but the key
        var secret = await mk.ReadAsync();
        var recoveryCodes = await mk.ReadAsync(8);
        Server.Secrets.Add([secret, .. recoveryCodes]);
        var codes = await new Authenticator(secret).CodesAsync(Authenticator.Step, 2);
        await mk.AnswerAsync("n"); // no file
        await mk.AnswerAsync(codes[0]);
        var enrolled = await mk.EndAsync();
        var status = await RunAsync(account, "--output json status");
        var first = await RunAsync(account, $"verify {codes[1]}");
        var again = await RunAsync(account, $"verify {codes[1]}");
        var renewed = await RunAsync(account, "recovery-codes", recoveryCodes[0]);
        Server.Secrets.Add(Lines(renewed));
        var oldOne = await RunAsync(account, "verify", recoveryCodes[1]);
        var newOne = await RunAsync(account, "verify", Lines(renewed)[0]);

        Assert.Equal([secret, .. recoveryCodes, .. Closing("AUTHENTICATOR")], Done(enrolled));
        AssertStatus(status, "STATE_ENABLED", "METHOD_AUTHENTICATOR", "");
        Assert.Equal(["Accepted. Factor: AUTHENTICATOR."], Done(first));
        Assert.Equal((1, "Rejected. 4 attempts left.\n"), (again.ExitCode, again.Output));
        Assert.Equal(8, Done(renewed).Length);
        Assert.Equal(1, oldOne.ExitCode);
        Assert.Equal(["Accepted. Factor: RECOVERY_CODE, 7 left."], Done(newOne));
    }

    [Fact]
    public async Task A_script_enrols_an_address_has_codes_sent_and_switches_off()
    {
        var (account, address) = (Owner.NewAccount(), NewAddress());
        var mailbox = new Mailbox(Server, address);

        var enrolled = await EnrolAsync(account, $"mk EMAIL --email {address}", mailbox);
        var sent = await RunAsync(account, "get-token");
        var code = await mailbox.CodeAsync();
        var status = await RunAsync(account, "--output json status");
        var first = await RunAsync(account, $"verify {code}");
        var again = await RunAsync(account, $"verify {code}");
        var (off, token) = await SwitchOffAsync(Service, $"{By(account)} rm", mailbox);
        var offAgain = await RunAsync(account, "--output json rm --confirm", token);
        var statusAfter = await RunAsync(account, "--output json status");

        Assert.Equal(Closing("EMAIL"), Done(enrolled)[8..]);
        Assert.StartsWith(
            "Verification code requested\nIt goes by EMAIL to o***@e***.org\n", enrolled.Errors,
            StringComparison.Ordinal);
        Assert.StartsWith(
            "Sent by EMAIL to o***@e***.org, good until 20", Assert.Single(Done(sent)), StringComparison.Ordinal);
        AssertStatus(status, "STATE_ENABLED", "METHOD_EMAIL", "o***@e***.org");
        // The message is in the mailbox a moment before the server has noted so.
        string[] delivered = ["DELIVERY_STATE_QUEUED", "DELIVERY_STATE_SENT"];
        Assert.Contains(Json(status).GetProperty("delivery").GetProperty("state").GetString(), delivered);
        Assert.Equal(["Accepted. Factor: EMAIL."], Done(first));
        Assert.Equal(1, again.ExitCode);
        Assert.Equal([.. Mailed, .. Off], Done(off));
        Assert.Equal(1, offAgain.ExitCode);
        Assert.Equal("TOKEN_REFUSED", Json(offAgain).GetProperty("error").GetProperty("reason").GetString());
        AssertStatus(statusAfter, "STATE_DISABLED", "METHOD_UNSPECIFIED", "");
    }

    [Fact]
    public async Task A_script_enrols_a_phone_and_switches_off_in_two_runs()
    {
        var (account, address) = (Owner.NewAccount(), NewAddress());
        var phone = new Mailbox(Server, "14165550123"); // how its file spells the + is up to JSON
        var mailbox = new Mailbox(Server, address);

        var enrolled = await EnrolAsync(account, $"mk SMS --phone +1-(416)-555.0123 --email {address}", phone);
        var status = await RunAsync(account, "--output json status");
        var asked = await RunAsync(account, "--output json rm --request-only");
        var token = await mailbox.TokenAsync();
        var off = await RunAsync(account, "--output json rm --confirm", token);

        Assert.Equal(Closing("SMS"), Done(enrolled)[8..]);
        AssertStatus(status, "STATE_ENABLED", "METHOD_SMS", "+1 *** *** **23");
        Assert.Equal("o***@e***.org", Json(asked).GetProperty("destination").GetString());
        Assert.True(Json(off).GetProperty("disable_time").GetDateTimeOffset() <= TimeProvider.System.GetUtcNow());
    }

    [Fact]
    public async Task A_person_enrols_the_address_of_the_directory()
    {
        var (name, address) = ($"person-{Guid.NewGuid():N}", NewAddress());
        await ServerProgram.AddPersonAsync(Server.Data, name, address, Password);
        Server.Secrets.Add(Password);
        var mailbox = new Mailbox(Server, address);
        var person = new Dictionary<string, string>(Service, StringComparer.Ordinal)
        {
            ["MFA_USERNAME"] = name,
            ["MFA_PASSWORD"] = Password,
        };

        var enrolled = await EnrolAsync(person, "mk EMAIL", mailbox);
        var status = await ClientProgram.RunAsync(person, "--output json status");
        var (off, _) = await SwitchOffAsync(person, "rm", mailbox);
        person["MFA_PASSWORD"] = "wrong password";
        var refused = await ClientProgram.RunAsync(person, "status");

        Assert.Equal(Closing("EMAIL"), Done(enrolled)[8..]);
        AssertStatus(status, "STATE_ENABLED", "METHOD_EMAIL", "o***@e***.org");
        Assert.Equal([.. Mailed, .. Off], Done(off));
        Assert.Equal((1, "Name or password not accepted.\n"), (refused.ExitCode, refused.Errors));
    }

    private static string NewAddress() => $"owner-{Guid.NewGuid():N}@example.org";

    private static string[] Closing(string method) => ["Verification is complete.", $"MFA via {method} is ready."];

    private static string[] Lines(Ended ended) => ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string[] Done(Ended ended)
    {
        Assert.True(ended.ExitCode == 0, $"{ended.ExitCode}: {ended.Errors}");
        return Lines(ended);
    }

    private static JsonElement Json(Ended ended) => JsonDocument.Parse(ended.Output).RootElement;

    private static void AssertStatus(Ended ended, string state, string method, string destination)
    {
        Assert.True(ended.ExitCode == 0, ended.Errors);
        var status = Json(ended);
        Assert.Equal(state, status.GetProperty("state").GetString());
        Assert.Equal(method, status.GetProperty("method").GetString());
        Assert.Equal(destination, status.GetProperty("destination").GetString());
        Assert.Equal(method == "METHOD_UNSPECIFIED" ? 0 : 8, status.GetProperty("recovery_codes_remaining").GetInt32());
    }

    private string By(string account) => $"--api-key-file {Path.Combine(Server.Data, "dev.key")} --account {account}";

    private Task<Ended> RunAsync(string account, string verb, params string[] lines) =>
        ClientProgram.RunAsync(Service, $"{By(account)} {verb}", lines);

    private Task<Ended> EnrolAsync(string account, string mk, Mailbox mailbox) =>
        EnrolAsync(Service, $"{By(account)} {mk}", mailbox);

    private async Task<Ended> EnrolAsync(Dictionary<string, string> environment, string mk, Mailbox mailbox)
    {
        using var client = ClientProgram.Start(environment, mk);
        Server.Secrets.Add(await client.ReadAsync(8));
        await client.AnswerAsync("n"); // no file
        await client.AnswerAsync(await mailbox.CodeAsync());
        return await client.EndAsync();
    }

    private static async Task<(Ended, string Token)> SwitchOffAsync(
        Dictionary<string, string> environment, string rm, Mailbox mailbox)
    {
        using var client = ClientProgram.Start(environment, rm);
        Assert.Equal(Mailed, await client.ReadAsync(2));
        var token = await mailbox.TokenAsync();
        await client.AnswerAsync(token);
        return (await client.EndAsync(), token);
    }
}
