using System.Text.Json;

namespace Mfa.Server.Domain;

/// <summary>How the values of the trail are printed and asked for: `caller_not_allowed`.</summary>
internal static class AuditNames
{
    public static readonly string[] Outcomes = [.. Enum.GetValues<AuditOutcome>().Select(Of)];

    public static string Of<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    public static AuditOutcome? OutcomeOf(string name) => Array.IndexOf(Outcomes, name) is >= 0 and var at ? Enum.GetValues<AuditOutcome>()[at] : null;
}
