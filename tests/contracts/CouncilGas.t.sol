// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {Proposals, Target} from "./Proposals.sol";
import {Stage} from "./Stage.sol";

/// @title What proposals cost, as whole transactions that find every slot cold
/// @notice As in Gas.t.sol, with whose figures these stand.
contract CouncilGasTest is Stage, Proposals {
    /// @dev EIP-7825: the most gas that one transaction may have.
    uint256 private constant MOST_GAS = 16_777_216;

    function setUp() public override {
        super.setUp();
        _appointCouncillors();
        _appoint(COUNCIL_ROLE, FIRST, councils.seatOf(FIRST));
    }

    /// @dev EIP-170.
    function test_code__of_council_and_seat__fits() public {
        vm.assertLe(address(councils).code.length, 24_576, "Council");
        _carried(FIRST, address(programmes), abi.encodeCall(programmes.programmeCount, ()));
        vm.assertLe(councils.seatOf(FIRST).code.length, 24_576, "Seat");
    }

    /// @dev One call with little data, two approvals; the seat is there already.
    function test_proposal__with_one_call__costs_so_much_a_step() public {
        _carried(FIRST, address(programmes), abi.encodeCall(programmes.programmeCount, ()));
        ICouncil.Call[] memory calls =
            _calls(address(programmes), abi.encodeCall(programmes.changeSupplyCap, (FIRST, CAP + 1, "cap")));
        bytes memory data = abi.encodeCall(councils.propose, (FIRST, calls, NOW + 7 days, EVIDENCE, _operation()));
        _record("proposal, one call: propose", maker, data);
        uint64 proposalId = councils.proposalCount();
        data = abi.encodeCall(councils.approve, (proposalId, _hash(calls), _operation()));
        _record("proposal, one call: first approval", second, data);
        bytes32 operationId = _operation();
        bytes32 message = _approval(proposalId, third, operationId, NOW);
        data = abi.encodeCall(
            councils.approveBySignature,
            (
                proposalId,
                _hash(calls),
                operationId,
                _signed(_key("third"), address(councils), DOMAIN_NAME, message, NOW)
            )
        );
        _record("proposal, one call: second approval, signed", stranger, data);
        data = abi.encodeCall(councils.execute, (proposalId, calls, _operation()));
        _record("proposal, one call: execute", fourth, data);
    }

    function test_proposal__first_of_a_programme__also_makes_the_seat() public {
        ICouncil.Call[] memory calls =
            _calls(address(programmes), abi.encodeCall(programmes.changeSupplyCap, (FIRST, CAP + 1, "cap")));
        uint64 proposalId = _agreed(FIRST, calls);
        bytes memory data = abi.encodeCall(councils.execute, (proposalId, calls, _operation()));
        _record("proposal, one call: first execution, which makes the seat", fourth, data);
    }

    function test_proposal__cancelled__costs_so_much() public {
        uint64 proposalId =
            _propose(maker, FIRST, _calls(address(programmes), abi.encodeCall(programmes.programmeCount, ())));
        _record("proposal: cancel", maker, abi.encodeCall(councils.cancel, (proposalId, _operation())));
    }

    /// @dev As many bytes as may be, as few of them zero as can be: in as many calls as may be, and in one.
    function test_largest__proposals__fit_a_transaction() public {
        uint256 largest = 0;
        for (uint256 count = 1; count <= councils.MAX_CALLS(); count += councils.MAX_CALLS() - 1) {
            ICouncil.Call[] memory calls = _largestCalls(count);
            vm.assertLe(abi.encode(calls).length, councils.MAX_CALL_BYTES(), "bytes, at most");
            vm.assertGe(int256(abi.encode(calls).length), int256(councils.MAX_CALL_BYTES() - 2048), "or nearly");
            bytes memory data =
                abi.encodeCall(councils.propose, (FIRST, calls, NOW + 7 days, EVIDENCE, _operation()));
            uint256 gas = _measure(maker, address(councils), data);
            if (gas > largest) largest = gas;
        }
        vm.assertLe(largest, MOST_GAS, "gas of the largest proposal");
        vm.snapshotValue("gas", "largest proposal: propose", largest);
    }

    /// @dev With 255 approvals, far more than any programme can need, by councillors of both kinds.
    function test_largest__number_of_approvals__fits_a_transaction() public {
        bytes32 operationId = _operation();
        vm.prank(council);
        programmes.changeApprovalsNeeded(FIRST, 16, operationId);
        for (uint160 i = 1; i <= 255; ++i) {
            _appoint(COUNCILLOR_ROLE, 0, address(i << 96));
        }
        ICouncil.Call[] memory calls = _calls(address(programmes), abi.encodeCall(programmes.programmeCount, ()));
        uint64 proposalId = _propose(maker, FIRST, calls);
        for (uint160 i = 1; i < 255; ++i) {
            _approve(address(i << 96), proposalId);
        }
        bytes memory data = abi.encodeCall(councils.approve, (proposalId, _hash(calls), _operation()));
        _record("proposal: the 255th approval", address(255 << 96), data);
        data = abi.encodeCall(councils.execute, (proposalId, calls, _operation()));
        _record("proposal: execute with 255 approvals", fourth, data);
    }

    /// @dev At its worst, and whole, in GasSeat.t.sol.
    function test_awards__the_most_by_a_council__cost_little_more() public {
        ICredits.Award[] memory awards = new ICredits.Award[](credits.MAX_AWARDS());
        for (uint32 i = 0; i < awards.length; ++i) {
            awards[i] = ICredits.Award(i % 4 + 1, 1, DATA, keccak256(abi.encode(i)));
        }
        bytes memory batch = abi.encodeCall(credits.award, (FIRST, awards, "awards"));
        ICouncil.Call[] memory calls = _calls(address(credits), batch);
        uint64 proposalId = _agreed(FIRST, calls);
        uint256 before = vm.snapshotState();
        uint256 alone = _measure(councils.seatOf(FIRST), address(credits), batch);
        vm.revertToState(before);
        bytes memory data = abi.encodeCall(councils.execute, (proposalId, calls, _operation()));
        uint256 gas = _measure(fourth, address(councils), data);
        vm.snapshotValue("gas", "largest batch: awards, what a council adds", gas - alone);
        vm.assertLe(gas - alone, 400_000, "what a council adds");
    }

    function _record(string memory name, address sender, bytes memory data) private {
        uint256 gas = _measure(sender, address(councils), data);
        vm.assertLe(gas, MOST_GAS, name);
        vm.snapshotValue("gas", name, gas);
    }

    /// @dev The gas of a transaction that makes this call: with no more than a transaction may have,
    /// on cold accounts and slots, its data included (EIP-2028, and the floor of EIP-7623).
    function _measure(address sender, address to, bytes memory data) private returns (uint256) {
        uint256 others = 0;
        for (uint256 i = 0; i < data.length; ++i) {
            if (data[i] != 0) ++others;
        }
        uint256 tokens = data.length + 3 * others;
        (uint256 intrinsic, uint256 least) = (21_000 + 4 * tokens, 21_000 + 10 * tokens);
        vm.cool(address(authority));
        vm.cool(address(programmes));
        vm.cool(address(memberships));
        vm.cool(address(credits));
        vm.cool(address(councils));
        vm.cool(councils.seatOf(FIRST));
        vm.prank(sender);
        (bool done,) = to.call{gas: MOST_GAS - intrinsic}(data);
        uint256 gas = intrinsic + vm.lastCallGas().gasTotalUsed;
        vm.assertTrue(done, "call");
        return gas < least ? least : gas;
    }

    function _largestCalls(uint256 count) private returns (ICouncil.Call[] memory calls) {
        // Of each call: where it begins, target, where its data begins, and their length.
        uint256 length = (councils.MAX_CALL_BYTES() - 64) / count - 128;
        length -= length % 32;
        calls = new ICouncil.Call[](count);
        address target = address(new Target());
        for (uint256 i = 0; i < count; ++i) {
            calls[i] = ICouncil.Call(target, abi.encodePacked(Target.set.selector, _filled(length - 4)));
        }
    }

    /// @dev Bytes without a zero.
    function _filled(uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            data[i] = 0x5a;
        }
    }
}
