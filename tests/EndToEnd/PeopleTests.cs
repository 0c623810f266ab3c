using System.Text;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>People of the built-in directory, who call with a name and a password (AU11, AU12, TL8, TL10).</summary>
public sealed class PeopleTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    private const string Password = "correct: horse battery staple ä";

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(server.Process.Dev));

    [Fact]
    public async Task A_person_enrols_and_verifies_their_own_account_without_naming_it()
    {
        var (name, person) = await AddAsync();

        var owner = await Owner.EnrolAsync(person, account: "");
        var reply = await person.VerifyAsync(name, owner.NextCode);

        Assert.Equal(name, owner.Enrolled.Account);
        Assert.Equal(Verdict.Accepted, reply.Verdict);
        Assert.Equal("p***@e***.org", (await person.GetStatusAsync("")).Destination); // from the directory
        Assert.Equal(State.Enabled, (await server.Process.Dev.GetStatusAsync(name)).State);
    }

    [Fact]
    public async Task A_person_may_touch_no_other_account_whether_it_exists_or_not()
    {
        var existing = (await Owner.EnrolAsync(server.Process.Dev)).Account;

        foreach (var choose in new Func<string, string>[]
            { _ => existing, _ => Owner.NewAccount(), name => name.ToUpperInvariant(), name => $"{name} ", _ => "not a name" })
        {
            var (own, person) = await AddAsync(); // another one each time: a person has ten guesses at once
            var account = choose(own);
            await Refused.AsNotAllowedAsync(() => person.GetStatusAsync(account));
            await Refused.AsNotAllowedAsync(() => person.EnableAsync(account));
            await Refused.AsNotAllowedAsync(() => person.VerifyAsync(account, "123456"));
            await Refused.AsNotAllowedAsync(() => person.RegenerateRecoveryCodesAsync(account, "123456"));
        }
    }

    [Fact]
    public async Task A_person_cannot_choose_the_address_that_notices_go_to()
    {
        var (_, person) = await AddAsync();
        var request = new EnableRequest { Method = Method.Authenticator, Email = "mallory@example.org" };

        await Refused.ForFieldAsync("email", () => person.EnableAsync(request));
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_name_get_the_same_answer()
    {
        var (name, _) = await AddAsync();

        var wrong = await Assert.ThrowsAsync<RpcException>(() => PersonOf(name, "wrong password").GetStatusAsync(""));
        var unknown = await Assert.ThrowsAsync<RpcException>(() => PersonOf("nobody-" + name, Password).GetStatusAsync(""));

        Assert.Equal(StatusCode.Unauthenticated, wrong.StatusCode);
        Assert.Equal(wrong.Status, unknown.Status);
        Assert.Equal(Trailers(wrong), Trailers(unknown));
    }

    [Fact]
    public async Task What_is_not_exactly_name_colon_password_is_refused()
    {
        var (name, _) = await AddAsync();
        string Encoded(string text) => $"Basic {Convert.ToBase64String(Encoding.Latin1.GetBytes(text))}";
        string[] refused =
        [
            Caller.Basic(name, Password + " "), Caller.Basic(name, Password.ToUpperInvariant()), Caller.Basic(name, ""),
            Caller.Basic(name.ToUpperInvariant(), Password), Caller.Basic("", Password), Caller.Basic(name, Password[..^1]),
            Encoded($"{name}:{Password}"), // Latin-1 is not UTF-8
            Encoded(name), $"Basic {name}:{Password.Replace(" ", "", StringComparison.Ordinal)[..^1]}", "Basic", "Basic !",
        ];

        foreach (var credential in refused)
            await Refused.AsUnauthenticatedAsync(() => server.Process.NewCallerWith(credential).GetStatusAsync(""));
    }

    [Fact]
    public async Task A_right_password_gives_no_new_guesses_and_a_wrong_one_costs_none()
    {
        var (name, person) = await AddAsync();
        var owner = await Owner.EnrolAsync(person, account: name);
        var wrong = await owner.App.WrongCodesAsync(5);

        for (var i = 0; i < wrong.Length; i++)
        {
            await Refused.AsUnauthenticatedAsync(() => PersonOf(name, "wrong password").VerifyAsync(name, wrong[0]));
            Assert.Equal(4 - i, (await PersonOf(name, Password).VerifyAsync(name, wrong[i])).AttemptsRemaining);
        }

        Assert.Equal(Verdict.Locked, (await person.VerifyAsync(name, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task A_new_password_replaces_the_old_one_and_a_removed_person_is_refused_at_the_next_call()
    {
        var (name, person) = await AddAsync();
        await person.GetStatusAsync("");

        var passwd = await OutsideProgram.RunAsync(
            ServerProgram.Command("users", "passwd", name, "--data", server.Process.Data), Encoding.UTF8.GetBytes("another password\n"));
        Assert.Equal(0, passwd.ExitCode);
        await Refused.AsUnauthenticatedAsync(() => person.GetStatusAsync(""));
        var renewed = PersonOf(name, "another password");
        await renewed.GetStatusAsync("");

        var removed = await ServerProgram.RunAsync("users", "remove", name, "--data", server.Process.Data);
        Assert.Equal(0, removed.ExitCode);
        await Refused.AsUnauthenticatedAsync(() => renewed.GetStatusAsync(""));
    }

    private Caller PersonOf(string name, string password) => server.Process.NewCallerWith(Caller.Basic(name, password));

    private async Task<(string Name, Caller Person)> AddAsync()
    {
        var name = $"person-{Guid.NewGuid():N}";
        await ServerProgram.AddPersonAsync(server.Process.Data, name, "person@example.org", Password);
        server.Process.Secrets.Add(Password);
        return (name, PersonOf(name, Password));
    }

    private static string[] Trailers(RpcException error) =>
        [.. error.Trailers.Where(t => t.Key != "date").Select(t => $"{t.Key}={(t.IsBinary ? Convert.ToHexString(t.ValueBytes) : t.Value)}")];
}
