using System.Text.RegularExpressions;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Page;

/// <summary>Somebody of the built-in directory with a second factor, who asks to switch it off and reads the mail.</summary>
internal sealed partial class Person
{
    public const string Password = "grüner Tee, 4 Tassen";

    /// <summary>Far more than a message takes; only one that never comes gets there.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly ServerProcess _server;
    private readonly Caller _caller;

    private Person(ServerProcess server, string name)
    {
        (_server, Name) = (server, name);
        _caller = server.NewCallerWith(Caller.Basic(name, Password));
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
        var before = Link?.ToString(); // as text: addresses that differ after the # alone are equal
        await _caller.SendAsync("Disable", new DisableRequest());

        using var patience = new CancellationTokenSource(Patience);
        while (Link?.ToString() == before) // mail is handed over after the answer
        {
            await Task.Delay(20, patience.Token);
            if (await NewestLinkAsync() is { } link) Link = link;
        }

        _server.Secrets.Add(Token);
    }

    /// <summary>As the operator's key sees it.</summary>
    public async Task<State> StateAsync() => (await _server.Dev.GetStatusAsync(Name)).State;

    private async Task<Uri?> NewestLinkAsync()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(_server.Data, "outbox"), "*.eml").OrderDescending(StringComparer.Ordinal))
        {
            var mail = await File.ReadAllTextAsync(file);
            if (mail.Contains($"To: {Name}@example.org", StringComparison.Ordinal) && LinkPattern().Match(mail) is { Success: true } link)
                return new Uri(link.Value);
        }

        return null;
    }

    [GeneratedRegex(@"http://\S+/disable#[A-Za-z0-9_-]{43}\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex LinkPattern();
}
