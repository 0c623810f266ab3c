using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Mfa.Server.Tests;

/// <summary>Which room may name which. An arrow that is not listed here is a wall.</summary>
public sealed partial class HouseRules
{
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Domain"] = [],
        ["Observability"] = ["Domain"],
        ["Protection"] = ["Domain"],
        ["Store"] = ["Domain", "Observability", "Protection"],
        ["Delivery"] = ["Domain", "Protection", "Store", "Observability"],
        ["Callers"] = ["Domain", "Protection", "Store", "Observability"],
        ["Flows"] = ["Domain", "Store", "Protection", "Delivery", "Callers", "Observability"],
        ["Services"] = ["Domain", "Flows", "Callers", "Delivery", "Store", "Observability"],
        ["Web"] = ["Domain", "Flows", "Callers", "Store", "Observability"],
        ["Testing"] = ["Callers", "Store"],
        ["Transport"] = ["Observability"],
        ["Rotation"] = ["Domain", "Protection", "Store", "Callers", "Observability"],
        ["Backups"] = ["Domain", "Protection", "Store", "Callers"],
        ["Transfer"] = ["Domain", "Protection", "Store", "Callers", "Delivery"],
        ["Commands"] = ["Domain", "Protection", "Callers", "Delivery", "Store", "Transport", "Rotation", "Backups", "Doctor", "Transfer", "Testing"],
        ["Doctor"] = ["Domain", "Protection", "Store", "Delivery", "Transport", "Rotation"],
    };

    [Fact]
    public void Every_room_names_only_the_rooms_it_may()
    {
        var crossings = from room in Arrows.Keys
                        from file in Directory.EnumerateFiles(Path.Combine(ServerFolder(), room), "*.cs", SearchOption.AllDirectories)
                        from line in File.ReadLines(file)
                        where !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && !line.StartsWith("namespace", StringComparison.Ordinal)
                        from Match match in RoomName().Matches(line)
                        let other = match.Groups[1].Value
                        where other != room && !Arrows[room].Contains(other)
                        select $"{Path.GetFileName(file)}: {line.Trim()}";

        Assert.Empty(crossings);
    }

    [Fact]
    public void Every_folder_of_the_server_is_a_room_with_rules()
    {
        var folders = Directory.EnumerateDirectories(ServerFolder()).Select(Path.GetFileName).Except(["bin", "obj"]);

        Assert.Empty(folders.Except(Arrows.Keys));
    }

    [Fact]
    public void Only_services_know_protobuf()
    {
        var strangers = from room in Arrows.Keys.Except(["Services"])
                        from file in Directory.EnumerateFiles(Path.Combine(ServerFolder(), room), "*.cs", SearchOption.AllDirectories)
                        where Regex.IsMatch(File.ReadAllText(file), @"using (Google\.Protobuf|Mfa\.V1|Grpc\.)", RegexOptions.None, TimeSpan.FromSeconds(1))
                        select file;

        Assert.Empty(strangers);
    }

    [GeneratedRegex(@"(?<![\w.])(?:Mfa\.Server\.)?(Domain|Observability|Protection|Store|Delivery|Callers|Flows|Services|Web|Transport|Rotation|Backups|Commands|Doctor|Transfer|Testing)(?=\.[A-Z]|;)", RegexOptions.None, 1000)]
    private static partial Regex RoomName();

    private static string ServerFolder([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../src/Server"));
}
