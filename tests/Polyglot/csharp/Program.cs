using System.Text.Json.Nodes;
using Mfa.Polyglot;

var world = JsonNode.Parse(await File.ReadAllTextAsync(args[0]))!;
var servers = world["servers"]!.AsObject().ToDictionary(server => server.Key, server => new Stub(server.Value!));
using var tests = new TestDoor(world);
var (index, failed) = (0, 0);
foreach (var file in Directory.GetFiles((string)world["scenarios"]!, "*.json").Order(StringComparer.Ordinal))
{
    var name = Path.GetFileNameWithoutExtension(file);
    try
    {
        var story = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
        await new Story(world, servers, tests, name, index++).PlayAsync(story["steps"]!.AsArray());
        Console.WriteLine($"ok {name}");
    }
    catch (Exception wrong)
    {
        failed = 1;
        Console.WriteLine($"FAILED {name}: {wrong.Message}");
    }
}

return failed;
