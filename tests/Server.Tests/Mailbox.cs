using System.Text.RegularExpressions;
using MimeKit;

namespace Mfa.Server.Tests;

/// <summary>A message as its reader sees it.</summary>
internal sealed record Mail(string To, string Subject, string Text, string Html)
{
    public string Code => Regex.Match(Text, @"\b\d{6}\b", RegexOptions.None, TimeSpan.FromSeconds(1)).Value;

    public string Token => Regex.Match(Text, "(?m)^[A-Za-z0-9_-]{43}$", RegexOptions.None, TimeSpan.FromSeconds(1)).Value;
}

/// <summary>The development mailbox, read in the order in which messages were written.</summary>
internal sealed class Mailbox(string folder)
{
    private int _read;

    /// <summary>The next message; waits for the courier to bring it.</summary>
    public async Task<Mail> NextAsync()
    {
        Directory.CreateDirectory(folder);
        using var watcher = new FileSystemWatcher(folder) { EnableRaisingEvents = true };
        using var changed = new SemaphoreSlim(0);
        watcher.Renamed += (_, _) => changed.Release();
        while (true)
        {
            var files = Files();
            if (files.Length > _read) return Read(files[_read++]);
            Assert.True(await changed.WaitAsync(TimeSpan.FromSeconds(30)), "No message came within 30 s.");
        }
    }

    /// <summary>How many messages were written so far, whether read or not.</summary>
    public int Count => Files().Length;

    private string[] Files() => Directory.Exists(folder)
        ? Directory.GetFiles(folder).Where(f => !f.EndsWith(".tmp", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray()
        : [];

    private static Mail Read(string file)
    {
        if (file.EndsWith(".json", StringComparison.Ordinal))
        {
            using var sms = System.Text.Json.JsonDocument.Parse(File.ReadAllText(file));
            return new Mail(sms.RootElement.GetProperty("to").GetString()!, "", sms.RootElement.GetProperty("text").GetString()!, "");
        }

        using var mail = MimeMessage.Load(file);
        return new Mail(Assert.Single(mail.To.Mailboxes).Address, mail.Subject!, mail.TextBody!, mail.HtmlBody!);
    }
}
