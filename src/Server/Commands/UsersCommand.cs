using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server users`: the built-in directory of people. Works beside a running server.</summary>
internal static class UsersCommand
{
    private static readonly Option<string> Email = new("--email")
    {
        Description = "Where notices and confirmations go.",
        Required = true,
    };

    private static readonly Option<string?> Phone = new("--phone") { Description = "Phone number in E.164 form, such as +14165550123." };

    static UsersCommand()
    {
        Email.Accept(text => EmailAddress.Parse(text) is not null, EmailAddress.Accepted);
        Phone.Accept(text => text is null || IsE164(text), "give + and 8 to 15 digits, such as +14165550123");
    }

    public static Command Create()
    {
        var add = new Command("add", "Add a person; the password is read from a prompt or standard input.")
        {
            SharedOptions.Name, Email, Phone, SharedOptions.Data, SharedOptions.Store,
        };
        add.SetAction(AddAsync);
        var list = new Command("list", "List the people.") { SharedOptions.Data, SharedOptions.Store, SharedOptions.Output };
        list.SetAction((parsed, _) => ListAsync(parsed));
        var passwd = new Command("passwd", "Set a new password, read from a prompt or standard input.")
        {
            SharedOptions.Name, SharedOptions.Data, SharedOptions.Store,
        };
        passwd.SetAction(SetPasswordAsync);
        var remove = new Command("remove", "Remove a person; their next call is refused.") { SharedOptions.Name, SharedOptions.Data, SharedOptions.Store };
        remove.SetAction((parsed, _) => RemoveAsync(parsed));
        return new Command("users", "People of the built-in directory: add, list, passwd, remove.") { add, list, passwd, remove };
    }

    private static async Task<int> AddAsync(ParseResult parsed, CancellationToken ct)
    {
        var name = parsed.GetValue(SharedOptions.Name)!;
        var email = EmailAddress.Parse(parsed.GetValue(Email)!)!;
        var password = await PasswordPrompt.ReadNewAsync(ct);

        using var data = await SharedOptions.OpenAsync(parsed);
        if (!await DirectoryOf(data).AddAsync(name, email, parsed.GetValue(Phone), Hash(data, name, password)))
            throw new StartRefusedException($"{name} is in the directory already. To change the password: mfa-server users passwd {name}");
        await Console.Error.WriteLineAsync($"Added {name}.");
        return ExitCodes.Done;
    }

    private static async Task<int> ListAsync(ParseResult parsed)
    {
        using var data = await SharedOptions.OpenAsync(parsed);
        var rows = DirectoryOf(data).List().ConvertAll(u => new UserRow(u.Name, u.Email, u.Phone, u.CreateTime));
        if (parsed.GetValue(SharedOptions.Output) == "json")
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(rows, UsersJson.Default.ListUserRow));
            return ExitCodes.Done;
        }

        await Table.PrintAsync(
            ["NAME", "EMAIL", "PHONE", "CREATED"],
            rows.Select(r => new[] { r.Name, r.Email, r.Phone ?? "-", Table.Time(r.CreateTime) }));
        return ExitCodes.Done;
    }

    private static async Task<int> SetPasswordAsync(ParseResult parsed, CancellationToken ct)
    {
        var name = parsed.GetValue(SharedOptions.Name)!;
        var password = await PasswordPrompt.ReadNewAsync(ct);
        using var data = await SharedOptions.OpenAsync(parsed);
        if (!await DirectoryOf(data).SetPasswordAsync(name, Hash(data, name, password))) throw Unknown(name);
        await Console.Error.WriteLineAsync($"Set a new password for {name}.");
        return ExitCodes.Done;
    }

    private static async Task<int> RemoveAsync(ParseResult parsed)
    {
        var name = parsed.GetValue(SharedOptions.Name)!;
        using var data = await SharedOptions.OpenAsync(parsed);
        if (!await DirectoryOf(data).RemoveAsync(name)) throw Unknown(name);
        await Console.Error.WriteLineAsync($"Removed {name}. The second factor of the account stays as it is.");
        return ExitCodes.Done;
    }

    private static UserDirectory DirectoryOf(DataFolder data) => new(data.Store, new Sealer(data.Ring), TimeProvider.System);

    private static PasswordHash Hash(DataFolder data, string name, string password) =>
        new PasswordHasher(data.Ring).New(name, password, SettingSources.Read(new Settings(), Environment.CurrentDirectory, []).Passwords.Rounds);

    private static StartRefusedException Unknown(string name) => new($"No {name} in the directory. See: mfa-server users list");

    private static bool IsE164(string text) =>
        text.Length is >= 9 and <= 16 && text[0] == '+' && text[1] is >= '1' and <= '9' && text.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0;
}

internal sealed record UserRow(string Name, string Email, string? Phone, DateTimeOffset CreateTime);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(List<UserRow>))]
internal sealed partial class UsersJson : JsonSerializerContext;
