using System.Collections.Frozen;

namespace Mfa.Server.Delivery;

/// <summary>The names that message texts can use.</summary>
internal static class MessageValues
{
    public static readonly FrozenDictionary<string, string> Sample = new Dictionary<string, string>
    {
        ["service"] = "Example",
        ["account"] = "jane",
        ["code"] = "123456",
        ["minutes"] = "5",
        ["domain"] = "example.org",
        ["token"] = "token",
        ["link"] = "https://example.org/disable#token",
        ["remaining"] = "2",
        ["time"] = "12:00 UTC",
    }.ToFrozenDictionary();
}
