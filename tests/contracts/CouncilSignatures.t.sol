// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {CouncilFace} from "./Faces.sol";
import {Chamber} from "./Proposals.sol";
import {Verifier, Wallet} from "./Signers.sol";

/// @title Approvals by signed message, and every way to misuse one
contract CouncilSignaturesTest is Chamber {
    uint256 private constant DEADLINE = NOW + 1 hours;

    uint64 private _proposalId;
    bytes32 private _callsHash;

    function setUp() public override {
        super.setUp();
        _proposalId = _propose(maker, FIRST, _setting(1));
        _callsHash = _hash(_setting(1));
    }

    // --- good ones

    function test_signed__by_a_key__counts_whoever_brings_it() public {
        ISignedMessages.Signed memory signed = _approvalBy("second", OPERATION, DEADLINE);
        _watch(address(councils));
        vm.prank(stranger);
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        _assertLine(
            abi.encode(ICouncil.ProposalApproved.selector, _number(1), FIRST, _proposalId, second, 1, OPERATION)
        );
        vm.assertEq(councils.approversOf(_proposalId)[0], second, "approver");
        _approve(third, _proposalId);
        _execute(maker, _proposalId, _setting(1));
    }

    function test_signed__by_a_contract_wallets_key__counts() public {
        Wallet wallet = new Wallet(_account("owner"));
        _appoint(COUNCILLOR_ROLE, FIRST, address(wallet));
        _openAnother();
        bytes memory signer = abi.encodePacked(wallet);
        ISignedMessages.Signed memory signed =
            _signedFor(signer, _key("owner"), _digestOf(signer, OPERATION), DEADLINE);
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        vm.assertEq(councils.approversOf(_proposalId)[0], address(wallet), "approver");

        signed = _signedFor(signer, _key("second"), _digestOf(signer, "another"), DEADLINE);
        vm.expectRevert(_invalid(address(wallet)));
        councils.approveBySignature(_proposalId, _callsHash, "another", signed);
    }

    function test_signed__by_a_key_without_an_account__counts_as_its_account() public {
        bytes memory signer = abi.encodePacked(new Verifier(), _account("passkey"), "salt");
        address account = councils.accountOf(signer);
        _appoint(COUNCILLOR_ROLE, FIRST, account);
        _openAnother();
        ISignedMessages.Signed memory signed =
            _signedFor(signer, _key("passkey"), _digestOf(signer, OPERATION), DEADLINE);
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        vm.assertEq(councils.approversOf(_proposalId)[0], account, "approver");

        // The same key with another salt is another account, which is no councillor.
        signer = abi.encodePacked(address(bytes20(signer)), _account("passkey"), "pepper");
        signed = _signedFor(signer, _key("passkey"), _digestOf(signer, "another"), DEADLINE);
        vm.expectRevert(_roleMissing(councils.accountOf(signer)));
        councils.approveBySignature(_proposalId, _callsHash, "another", signed);
    }

    function test_signed__in_the_last_second__counts() public {
        ISignedMessages.Signed memory signed = _approvalBy("second", OPERATION, DEADLINE);
        vm.warp(DEADLINE);
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
    }

    // --- what `approve` refuses, this refuses

    function test_signed__against_the_rules_of_approve__is_refused() public {
        _refusesSigned("stranger", _roleMissing(stranger));
        _refusesSigned("elsewhere", _roleMissing(elsewhere));
        _refusesSigned(
            "maker", abi.encodeWithSelector(ICouncil.CouncilMakerCannotApprove.selector, _proposalId, maker)
        );
        _appoint(COUNCILLOR_ROLE, FIRST, stranger);
        _refusesSigned(
            "stranger", abi.encodeWithSelector(ICouncil.CouncilAppointedLater.selector, _proposalId, stranger)
        );
        _approve(second, _proposalId);
        _refusesSigned(
            "second", abi.encodeWithSelector(ICouncil.CouncilAlreadyApproved.selector, _proposalId, second)
        );
        _pause();
        _refusesSigned("third", abi.encodePacked(IAuthority.AuthorityPaused.selector));
        _resume();
        _cancel(maker, _proposalId);
        _refusesSigned(
            "third",
            abi.encodeWithSelector(ICouncil.CouncilProposalClosed.selector, _proposalId, ICouncil.Status.Cancelled)
        );
    }

    function test_signed__for_an_unknown_proposal__is_refused() public {
        ISignedMessages.Signed memory signed = _approvalBy("second", OPERATION, DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(ICouncil.CouncilProposalUnknown.selector, 9));
        councils.approveBySignature(9, _callsHash, OPERATION, signed);
    }

    // --- misuse

    function test_signed__brought_twice__is_refused() public {
        ISignedMessages.Signed memory signed = _approvalBy("second", OPERATION, DEADLINE);
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        bytes memory done =
            abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, councils.sequence());
        vm.expectRevert(done);
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        // Done is done, whatever stands against it by now.
        vm.warp(DEADLINE + 1);
        _cancel(maker, _proposalId);
        vm.expectRevert(done);
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
    }

    function test_signed__after_its_deadline__is_refused() public {
        ISignedMessages.Signed memory signed = _approvalBy("second", OPERATION, DEADLINE);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignedMessages.SignedExpired.selector, DEADLINE, DEADLINE + 1));
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        // Nor with the deadline put off by who brings it.
        signed.deadline = DEADLINE + 1;
        vm.expectRevert(_invalid(second));
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
    }

    function test_signed__cancelled_by_its_signer__is_refused() public {
        ISignedMessages.Signed memory signed = _approvalBy("second", OPERATION, DEADLINE);
        vm.prank(third); // another's cancelling does nothing to it
        councils.cancelMessage(OPERATION);
        uint256 before = vm.snapshotState();
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        vm.revertToState(before);
        _pause(); // also now
        vm.prank(second);
        councils.cancelMessage(OPERATION);
        _resume();
        vm.expectRevert(abi.encodeWithSelector(ISignedMessages.SignedCancelled.selector, second, OPERATION));
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        vm.assertEq(councils.approvalsOf(_proposalId), 0, "approvals");
    }

    function test_signed__for_another_proposal_operation_or_calls__is_refused() public {
        ISignedMessages.Signed memory signed = _approvalBy("second", OPERATION, DEADLINE);
        uint64 same = _propose(maker, FIRST, _setting(1));
        vm.expectRevert(_invalid(second));
        councils.approveBySignature(same, _callsHash, OPERATION, signed);
        vm.expectRevert(_invalid(second));
        councils.approveBySignature(_proposalId, _callsHash, "another", signed);
        vm.expectRevert(_invalid(second));
        councils.approveBySignature(_proposalId, _hash(_setting(2)), OPERATION, signed);

        // Calls that were signed but not proposed: a page that shows other calls than there are.
        bytes32 shown = _hash(_setting(2));
        bytes32 message = _approval(FIRST, _proposalId, shown, second, OPERATION, DEADLINE);
        signed = _signed(_key("second"), address(councils), DOMAIN_NAME, message, DEADLINE);
        vm.expectRevert(
            abi.encodeWithSelector(ICouncil.CouncilCallsDiffer.selector, _proposalId, shown, _callsHash)
        );
        councils.approveBySignature(_proposalId, shown, OPERATION, signed);
    }

    function test_signed__for_another_programme__is_refused() public {
        // An alliance-wide councillor's approval of the first programme's proposal is none of the
        // second's, even where all the rest is equal.
        bytes32 message = _approval(SECOND, _proposalId, _callsHash, wide, OPERATION, DEADLINE);
        ISignedMessages.Signed memory signed =
            _signed(_key("wide"), address(councils), DOMAIN_NAME, message, DEADLINE);
        vm.expectRevert(_invalid(wide));
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
    }

    function test_signed__on_another_chain__is_refused() public {
        ISignedMessages.Signed memory signed = _approvalBy("second", OPERATION, DEADLINE);
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        vm.expectRevert(_invalid(second));
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        vm.chainId(here);
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
    }

    function test_signed__for_another_contract__is_refused() public {
        CouncilFace twin = CouncilFace(vm.deployCode("Council.sol", abi.encode(authority, programmes, 2)));
        bytes32 operationId = _operation();
        vm.prank(maker);
        twin.propose(FIRST, _setting(1), NOW + 7 days, EVIDENCE, operationId);
        ISignedMessages.Signed memory signed = _approvalBy("second", OPERATION, DEADLINE);
        vm.expectRevert(_invalid(second));
        twin.approveBySignature(_proposalId, _callsHash, OPERATION, signed);

        // Nor under the name of another contract of the ledger.
        bytes32 message = _approval(_proposalId, second, OPERATION, DEADLINE);
        signed = _signed(_key("second"), address(councils), "Moonlake Credits", message, DEADLINE);
        vm.expectRevert(_invalid(second));
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
    }

    function test_signed__with_a_high_s_cut_or_empty__is_refused() public {
        ISignedMessages.Signed memory signed = _approvalBy("second", OPERATION, DEADLINE);
        bytes memory good = signed.signature;
        bytes[4] memory bad = [_malleated(good), bytes(""), bytes(hex"00"), new bytes(65)];
        for (uint256 i = 0; i < 4; ++i) {
            signed.signature = bad[i];
            vm.expectRevert(_invalid(second));
            councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        }
    }

    function test_signed__in_the_name_of_another__is_refused() public {
        ISignedMessages.Signed memory signed = _approvalBy("second", OPERATION, DEADLINE);
        signed.signer = abi.encodePacked(third);
        vm.expectRevert(_invalid(third));
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        signed.signer = hex"01020304";
        vm.expectRevert(abi.encodeWithSelector(ISignedMessages.SignedSignerMalformed.selector, 4));
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        // The zero address, which a failed recovery gives.
        signed.signer = new bytes(20);
        signed.signature = new bytes(65);
        vm.expectRevert(_roleMissing(address(0)));
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
        // A councillor whose verifier is an account without code.
        signed.signer = abi.encodePacked(stranger, second);
        address account = councils.accountOf(signed.signer);
        _appoint(COUNCILLOR_ROLE, FIRST, account);
        vm.expectRevert(abi.encodeWithSelector(ISignedMessages.SignedVerifierMissing.selector, stranger));
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
    }

    /// @dev Both ways at once: the transaction comes first, and the signed one is brought after it.
    function test_signed__beside_the_same_by_transaction__counts_once() public {
        ISignedMessages.Signed memory signed = _approvalBy("second", "by signature", DEADLINE);
        _approve(second, _proposalId);
        vm.expectRevert(abi.encodeWithSelector(ICouncil.CouncilAlreadyApproved.selector, _proposalId, second));
        councils.approveBySignature(_proposalId, _callsHash, "by signature", signed);
        vm.assertEq(councils.approvalsOf(_proposalId), 1, "approvals");
    }

    /// @dev A proposal like the first, made now.
    function _openAnother() private {
        _proposalId = _propose(maker, FIRST, _setting(1));
    }

    function _digestOf(bytes memory signer, bytes32 operationId) private view returns (bytes32) {
        bytes32 message = _approval(_proposalId, councils.accountOf(signer), operationId, DEADLINE);
        return _digest(address(councils), DOMAIN_NAME, message);
    }

    function _approvalBy(string memory name, bytes32 operationId, uint256 deadline)
        private
        view
        returns (ISignedMessages.Signed memory)
    {
        bytes32 message = _approval(_proposalId, _account(name), operationId, deadline);
        return _signed(_key(name), address(councils), DOMAIN_NAME, message, deadline);
    }

    function _refusesSigned(string memory name, bytes memory failure) private {
        ISignedMessages.Signed memory signed = _approvalBy(name, OPERATION, DEADLINE);
        vm.expectRevert(failure);
        councils.approveBySignature(_proposalId, _callsHash, OPERATION, signed);
    }

    function _invalid(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISignedMessages.SignedInvalid.selector, account);
    }

    function _roleMissing(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAuthority.AuthorityRoleMissing.selector, account, COUNCILLOR_ROLE, FIRST);
    }
}
