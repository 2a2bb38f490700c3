//! `wasi:sockets`: none can be made, and without one nothing else there can be called.

use super::View;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{
    self, ErrorCode, HostNetwork, IpAddressFamily, Network,
};
use wasmtime_wasi::p2::bindings::sync::sockets::{tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{IoError, SocketError, SocketResult, TcpSocket, UdpSocket};

impl tcp_create_socket::Host for View<'_> {
    fn create_tcp_socket(&mut self, _family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        self.denied()
    }
}

impl udp_create_socket::Host for View<'_> {
    fn create_udp_socket(&mut self, _family: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        self.denied()
    }
}

/// How the two above say what went wrong.
impl network::Host for View<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(
        &mut self,
        _error: Resource<IoError>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(None)
    }
}

impl HostNetwork for View<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        self.world.table.delete(network)?;
        Ok(())
    }
}

impl View<'_> {
    fn denied<T>(&mut self) -> SocketResult<T> {
        self.spend(0).map_err(SocketError::trap)?;
        Err(ErrorCode::AccessDenied.into())
    }
}
