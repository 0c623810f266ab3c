using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Mfa.Server.Callers;
using Mfa.Server.Delivery;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Transport;
using Mfa.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests;

/// <summary>The whole server on a folder and a port of its own, reached through a real channel, with a clock that stands still.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly TempFolder _folder;
    private readonly DataFolder _data;
    private readonly WebApplication _app;
    private readonly GrpcChannel _channel;

    private TestServer(TempFolder folder, DataFolder data, WebApplication app, FakeTimeProvider clock)
    {
        (_folder, _data, _app, Clock) = (folder, data, app, clock);
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToArray();
        _channel = GrpcChannel.ForAddress(addresses[0]);
        Web = new Uri(addresses[1]);
        Client = new MfaService.MfaServiceClient(_channel);
        Mailbox = new Mailbox(System.IO.Path.Combine(folder.Path, "outbox"));
    }

    public FakeTimeProvider Clock { get; }

    public MfaService.MfaServiceClient Client { get; }

    public Mailbox Mailbox { get; }

    public Uri Web { get; }

    public string Folder => _data.Path;

    public IServiceProvider Services => _app.Services;

    /// <summary>The time step that the clock stands in, for enrollments of the usual 30 s.</summary>
    public long Step => Clock.GetUtcNow().ToUnixTimeSeconds() / 30;

    public static async Task<TestServer> StartAsync(params string[] settings)
    {
        var folder = new TempFolder();
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 15, TimeSpan.Zero)); // amid a time step
        var data = await DataFolder.OpenAsync(folder.Path, clock);
        try
        {
            var quiet = SettingSources.Read(new Settings { LogLevel = Microsoft.Extensions.Logging.LogLevel.Critical }, folder.Path, settings);
            var loopback = ListenAddress.Parse("--listen", "http://127.0.0.1:0");
            var senders = Senders.From(quiet.Providers, quiet.Enrollment.Issuer, System.IO.Path.Combine(folder.Path, "outbox"), clock);
            var app = Setup.Build(data, quiet, senders, new Listeners(loopback, loopback, Tls: null), dev: false);
            await app.StartAsync();
            return new TestServer(folder, data, app, clock);
        }
        catch
        {
            data.Dispose();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Sends bytes as they are, each given as a character.</summary>
    public async Task SendAsync(string rpc, string bytes, Metadata metadata)
    {
        var raw = Marshallers.Create<byte[]>(message => message, message => message);
        var method = new Method<byte[], byte[]>(MethodType.Unary, MfaService.Descriptor.FullName, rpc, raw, raw);
        await _channel.CreateCallInvoker().AsyncUnaryCall(method, host: null, new CallOptions(metadata), Encoding.Latin1.GetBytes(bytes));
    }

    /// <summary>The metadata of a new API key.</summary>
    public async Task<Metadata> KeyAsync(Scopes scopes = Scopes.Verify | Scopes.Enroll, string tenant = Principal.DefaultTenant)
    {
        var key = await _app.Services.GetRequiredService<ApiKeys>().CreateAsync(Guid.NewGuid().ToString(), tenant, scopes);
        return new Metadata { { "authorization", $"Bearer {key}" } };
    }

    /// <summary>The metadata of a new person of the directory.</summary>
    public async Task<Metadata> PersonAsync(string name, string password)
    {
        var hash = _app.Services.GetRequiredService<PasswordHasher>().New(name, password, PasswordHasher.MinRounds);
        Assert.True(await _app.Services.GetRequiredService<UserDirectory>().AddAsync(name, EmailAddress.Parse("jane@example.org")!, phone: null, hash));
        return Basic(name, password);
    }

    public static Metadata Basic(string name, string password) =>
        new() { { "authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}"))}" } };

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _data.Dispose();
        _folder.Dispose();
    }
}
