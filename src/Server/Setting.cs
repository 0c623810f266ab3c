using System.Globalization;

namespace Mfa.Server;

/// <summary>One setting: its name, what it accepts, and how it changes <see cref="Settings"/>.</summary>
/// <param name="Name">section:key, compared without regard to case.</param>
/// <param name="Accepts">The allowed values, in words.</param>
/// <param name="Apply">Null when the text is not accepted.</param>
internal sealed record Setting(string Name, string Accepts, Func<Settings, string, Settings?> Apply)
{
    public static Setting Number(string name, int least, int most, string unit, Func<Settings, int, Settings> apply) =>
        new(name, $"{least} to {most} {unit}".TrimEnd(), (settings, text) =>
            int.TryParse(text, NumberStyles.None, null, out var number) && number >= least && number <= most
                ? apply(settings, number)
                : null);

    public static Setting Seconds(string name, int least, int most, string what, Func<Settings, TimeSpan, Settings> apply) =>
        Number(name, least, most, $"seconds {what}", (settings, number) => apply(settings, TimeSpan.FromSeconds(number)));

    public static Setting Flag(string name, Func<Settings, bool, Settings> apply) =>
        new(name, "true or false", (settings, text) => bool.TryParse(text, out var on) ? apply(settings, on) : null);

    public static Setting Text(string name, string accepts, Func<string, bool> accepted, Func<Settings, string, Settings> apply) =>
        new(name, accepts, (settings, text) => accepted(text) ? apply(settings, text) : null);

    /// <summary>Values separated by commas.</summary>
    public static Setting List(string name, string accepts, Func<string, bool> accepted, Func<Settings, string[], Settings> apply) =>
        new(name, $"{accepts}, separated by commas", (settings, text) =>
            text.Split(',') is var items && items.All(accepted) ? apply(settings, items) : null);
}
