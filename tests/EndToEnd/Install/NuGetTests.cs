using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Install;

/// <summary>The .NET tool and the C# client library, installed from a local feed into a home where nothing else is.</summary>
public sealed class NuGetTests(DevServer server) : IClassFixture<DevServer>, IDisposable
{
    private readonly TempFolder _folder = new();

    private ServerProcess Server => server.Process;

    private string Endpoint => Server.Grpc.GetLeftPart(UriPartial.Authority);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_tool_enrols_and_verifies()
    {
        var feed = await Packages.FeedAsync(_folder);
        var installed = await Packages.DotnetAsync(
            _folder, "tool", "install", "MfaGrpc.Tool", "--version", Packages.Version, "--tool-path", _folder["tools"], "--configfile", feed);
        Assert.True(installed.ExitCode == 0, installed.Output + installed.Errors);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["MFA_ENDPOINT"] = Endpoint, ["MFA_API_KEY"] = Server.DevKey };
        var account = Owner.NewAccount();

        using var mk = ClientProgram.Start(environment, $"--account {account} mk AUTHENTICATOR", _folder["tools/mfa"]);
        await mk.AnswerAsync("n"); // no picture
        await mk.AnswerAsync("y"); // but the key
        var secret = await mk.ReadAsync();
        Server.Secrets.Add([secret, .. await mk.ReadAsync(8)]);
        var codes = await new Authenticator(secret).CodesAsync(Authenticator.Step, 2);
        await mk.AnswerAsync("n"); // no file
        await mk.AnswerAsync(codes[0]);
        Assert.Equal(0, (await mk.EndAsync()).ExitCode);
        using var verify = ClientProgram.Start(environment, $"--account {account} verify {codes[1]}", _folder["tools/mfa"]);
        var verified = await verify.EndAsync();

        Assert.Equal((0, "Accepted. Factor: AUTHENTICATOR.\n"), (verified.ExitCode, verified.Output));
    }

    [Fact]
    public async Task A_program_as_the_librarys_readme_has_it_enrols_an_account()
    {
        await Packages.FeedAsync(_folder);
        var readme = await File.ReadAllTextAsync(Path.Combine(ServerProgram.Repository, "protos/PACKAGE.md"), TestContext.Current.CancellationToken);
        var program = readme.Split("```csharp\n")[1].Split("```")[0].Replace("https://mfa.example.org:7443", Endpoint, StringComparison.Ordinal);
        await File.WriteAllTextAsync(_folder["Program.cs"], program, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["mfa.key"], Server.DevKey, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["newcomer.csproj"], $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><UseAppHost>false</UseAppHost>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="MfaGrpc.Client" Version="{Packages.Version}" /><PackageReference Include="Grpc.Net.Client" Version="*" />
              </ItemGroup>
            </Project>
            """, TestContext.Current.CancellationToken);
        var built = await Packages.DotnetAsync(_folder, "build", "--output", _folder["bin"], "-nodeReuse:false");
        Assert.True(built.ExitCode == 0, built.Output + built.Errors);

        using var newcomer = ClientProgram.Start(new Dictionary<string, string>(StringComparer.Ordinal), "", _folder["bin/newcomer.dll"], _folder["."]);
        var uri = new Uri(await newcomer.ReadAsync());
        var secret = uri.Query.Split("secret=")[1].Split('&')[0];
        Server.Secrets.Add(secret);
        await newcomer.AnswerAsync(await new Authenticator(secret).CodeAsync(Authenticator.Step));
        var ended = await newcomer.EndAsync();

        Assert.Equal((0, "enrolled"), (ended.ExitCode, ended.Output.Split('\n')[1]));
        Assert.Equal(State.Enabled, (await Server.Dev.GetStatusAsync("alice")).State);
    }
}
