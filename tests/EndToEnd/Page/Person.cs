using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Page;

/// <summary>Somebody of the built-in directory with a second factor, who asks to switch it off and reads the mail.</summary>
internal sealed class Person
{
    public const string Password = "grüner Tee, 4 Tassen";

    private readonly ServerProcess _server;
    private readonly Caller _caller;
    private readonly Mailbox _mailbox;

    private Person(ServerProcess server, string name)
    {
        (_server, Name) = (server, name);
        _caller = server.NewCallerWith(Caller.Basic(name, Password));
        _mailbox = new Mailbox(server, $"{name}@example.org");
    }

    public string Name { get; }

    /// <summary>The link of the newest mail.</summary>
    public Uri Link { get; private set; } = null!;

    public string Token => Link.Fragment[1..];

    public static async Task<Person> WithALinkAsync(PageServer server)
    {
        var person = await WithAFactorAsync(server);
        await person.AskAsync();
        return person;
    }

    public static async Task<Person> WithAFactorAsync(PageServer server)
    {
        var name = $"person-{Guid.NewGuid():N}";
        await ServerProgram.AddPersonAsync(server.Process.Data, name, $"{name}@example.org", Password);
        server.Process.Secrets.Add(Password);
        var person = new Person(server.Process, name);
        await Owner.EnrolAsync(person._caller, account: name);
        return person;
    }

    /// <summary>Asks for a link, and reads it from the mail that comes.</summary>
    public async Task AskAsync()
    {
        await _caller.SendAsync("Disable", new DisableRequest());
        Link = new Uri(await _mailbox.NextAsync(@"http://\S+/disable#[A-Za-z0-9_-]{43}\b"));
        _server.Secrets.Add(Token);
    }

    /// <summary>As the operator's key sees it.</summary>
    public async Task<State> StateAsync() => (await _server.Dev.GetStatusAsync(Name)).State;
}
